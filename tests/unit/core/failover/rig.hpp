#pragma once

// One failover machine in a conversation: member 'b' of a, b and c, with the fast profile.

#include <string>
#include <vector>

#include "core/failover/machine.hpp"

namespace harmony::failover::test {

struct rig {
  config settings;
  machine state;
  instant now{std::chrono::hours{1}};
  std::vector<action> actions;
  std::uint64_t sequence = 0;
  std::optional<lease_record> record;
  postgres pg;
  bool answers = true; ///< reads, at once

  rig();

  /// One event; reads are answered while `answers`. Gives the phase and what was asked for.
  std::string on(const event& e);
  /// Time goes by in ticks, and the present record is heard of.
  std::string wait(duration d);
  /// The store has that record.
  std::string holds(lease_record r);
  /// What a look finds, after all operations so far.
  std::string sees(postgres is);
  /// The operation under way is over.
  std::string done(bool ok = true);
  /// The CAS under way is answered.
  std::string acknowledged();
  std::string beat(member_heartbeat b);
  std::string guarded(bool healthy = true);

  [[nodiscard]] std::string text() const;
};

/// A record of `a`, holding epoch 5.
lease_record record_of_a();
/// A standby that streams from a, at 1000.
postgres streaming();
/// The same, alone.
postgres alone();
postgres primary();
postgres stopped();
member_heartbeat beat_of(const std::string& node, std::uint64_t n);

/// "promote", "cas held".
std::string name_of(const action& a);

rig connected();
rig follower();
rig freezer();
rig elector();
rig claimer();
rig promoter();
rig holder();

} // namespace harmony::failover::test

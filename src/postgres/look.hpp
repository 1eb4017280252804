#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/failover/events.hpp"
#include "failover/member.hpp"
#include "postgres/control.hpp"
#include "postgres/session.hpp"

namespace harmony::postgres {

/// What a look asks of a server that runs, as it answers.
struct answers {
  bool in_recovery = true;
  std::uint64_t system_id = 0;
  std::uint32_t timeline = 0; ///< what is replayed, or written
  std::uint32_t checkpoint_timeline = 0;
  std::optional<failover::lsn> flushed;  ///< not in recovery
  std::optional<failover::lsn> received; ///< nothing: it has not streamed since it started
  std::optional<failover::lsn> replayed;
  bool streams = false;                ///< a walreceiver does
  std::uint32_t received_timeline = 0; ///< 0: there is no walreceiver
  std::string startup_waits;           ///< what the startup process waits for
  std::string primary_conninfo;
  std::string sync_names;
  std::vector<failover::attached> standbys; ///< those that keep up, of whatever name
  std::vector<std::string> slots;           ///< ours; one that lost its log with a '!' before
  std::vector<std::string> pending_restart;
};

/// The statement whose one row `read_answers` reads, to be asked over a session that knows
/// IDENTIFY_SYSTEM, whose row comes with it.
extern const char* const look_sql;
outcome<answers> read_answers(const rows& look, const rows& identified);

/// What the machine is to know. `history`: of the timeline that `timeline_of` says.
failover::postgres told(const answers& a, std::vector<failover::past_timeline> history,
                        const failover::member_settings& s);
std::uint32_t timeline_of(const answers& a);

/// The same of a server that does not run. `end`: where the log of a clean one ends.
failover::postgres told(const control& c, failover::lsn end,
                        std::vector<failover::past_timeline> history);

} // namespace harmony::postgres

#pragma once

// What a person, or a load balancer, is told of a member.

#include <string>
#include <string_view>

#include "core/failover/machine.hpp"

namespace harmony::failover {

struct member_view {
  std::string role;         ///< "primary", "standby", "rejoining", "stopped"
  bool well = false;        ///< the primary under a live lease, or a standby that streams from it
  bool synchronous = false; ///< commits wait for it, or may
  std::uint64_t epoch = 0;
  std::string primary; ///< who holds the lease, as far as it knows; empty: nobody
  std::uint32_t timeline = 0;
  lsn position = 0;
  lsn lag = 0; ///< bytes of log that the primary had when it last renewed, and this one has not
  std::string phase;
  std::string doing;               ///< with PostgreSQL: "cloning", "starting"; empty: nothing
  refusal why_not = refusal::none; ///< of a standby: why it does not take over
  std::string trouble;             ///< of PostgreSQL, see database::trouble

  friend bool operator==(const member_view&, const member_view&) = default;
};

member_view view_of(const machine& m, const config& c, instant now);

/// One line, which rests while nothing happens: "standby of a, epoch 7, timeline 3".
std::string sentence(const member_view& v);

/// What `GET path` is answered: an HTTP status, and JSON.
struct health_answer {
  int status = 404;
  std::string body;

  friend bool operator==(const health_answer&, const health_answer&) = default;
};

/// `/primary`, `/replica`, `/sync`, `/health` and `/`, as Patroni's REST API has them: 200 where it
/// is so, else 503. `/replica?lag=BYTES`: and no further behind.
health_answer answer_of(const member_view& v, std::string_view path,
                        const std::optional<lsn>& most_lag = {});

} // namespace harmony::failover

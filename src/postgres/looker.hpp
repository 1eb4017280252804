#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "failover/member.hpp"
#include "guard/message.hpp"
#include "postgres/look.hpp"
#include "postgres/server.hpp"

namespace harmony::postgres {

/// What one look found.
struct sight {
  failover::postgres is;
  std::optional<answers> said; ///< by a server that runs
};

/// Looks at PostgreSQL, over a session that it keeps. For one thread.
class looker {
public:
  explicit looker(const failover::member_settings& s) : s_(s) {}

  /// `known`: what the guard said last. Nothing where the server runs and is merely slow: who takes
  /// that for its end would hand over for nothing. A failure where it is not known what there is.
  outcome<std::optional<sight>> look(const std::optional<guard::report>& known,
                                     const check_limits& limits);

private:
  using moment = std::chrono::steady_clock::time_point;
  using past = std::vector<failover::past_timeline>;

  outcome<sight> ask(const check_limits& limits);
  outcome<session> greet(const owner& who, const check_limits& limits) const;
  outcome<past> history(std::uint32_t timeline, const check_limits& limits);
  outcome<failover::postgres> look_at_files(const check_limits& limits);
  [[nodiscard]] bool no_data() const;

  const failover::member_settings& s_;
  std::optional<session> session_;
  std::map<std::uint32_t, past> histories_; ///< of this session's server
  pid_t postmaster_ = 0;                    ///< that the guard tells of
  moment alive_at_{};                       ///< when it answered last, or was first heard of

  std::string control_file_; ///< what `control_` was read from
  std::optional<failover::postgres> stopped_;
};

} // namespace harmony::postgres

#pragma once

#include <concepts>
#include <string>

#include "model/outcome.hpp"
#include "topology/logs.hpp"
#include "topology/systemd.hpp"
#include "topology/systemd_config.hpp"

namespace harmony {

/// The logs of units. Thread-safe.
class journal_port {
public:
  virtual ~journal_port() = default;

  /// What `unit` wrote, and what its manager said of it, as `journalctl -u` shows them. Fails with
  /// invalid_spec for a cursor that is none, permission_denied, io_error, canceled or timed_out.
  virtual outcome<logs_result> read(const std::string& unit, const log_query& query,
                                    const wait_limit& limit) = 0;
};

/// The capability: a topology whose units leave logs.
template <class T>
concept has_journal = requires(T& t) {
  { t.journal() } -> std::convertible_to<journal_port&>;
};

/// systemd's journal, opened for each read, so that it costs nothing while nobody reads.
class systemd_journal final : public journal_port {
public:
  /// `scope`: whose units they are. `folder`: where the journal lies; empty: the system's place.
  explicit systemd_journal(systemd_config::scope scope, std::string folder = {})
    : scope_(scope), folder_(std::move(folder)) {}

  outcome<logs_result> read(const std::string& unit, const log_query& query,
                            const wait_limit& limit) override;

private:
  systemd_config::scope scope_;
  std::string folder_;
};

} // namespace harmony

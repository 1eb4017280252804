#pragma once

// What a device with systemd can do, as its reconciler and its monitor see it. The real thing is
// `systemd_manager`; tests bring their own.

#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "model/outcome.hpp"

namespace harmony {

/// How long a call may wait. It returns `ec::canceled` soon after `cancel` is requested and
/// `ec::timed_out` soon after `deadline`.
struct wait_limit {
  std::stop_token cancel;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

/// A unit as the service manager sees it; the names are systemd's own (org.freedesktop.systemd1).
struct unit_properties {
  std::string load_state = "not-found"; ///< "loaded", "not-found", "bad-setting", "error", "masked"
  std::string active_state = "inactive"; ///< "active", "activating", "failed", …
  std::string sub_state = "dead";
  std::string
    unit_file_state; ///< "enabled", "disabled", "static", …; empty: none, or not asked for
  std::string fragment_path;  ///< the unit file it was loaded from; empty: none
  std::string invocation_id;  ///< tells one run from the next; empty: never ran
  bool need_reload = false;   ///< its files changed since they were loaded
  std::uint32_t restarts = 0; ///< by systemd itself (Restart=)

  friend bool operator==(const unit_properties&, const unit_properties&) = default;
};

/// How the last run of a unit ended.
struct unit_result {
  std::string result;      ///< "success", "exit-code", "signal", "start-limit-hit", …
  std::int32_t code = 0;   ///< CLD_EXITED, CLD_KILLED, CLD_DUMPED; 0: no main process ended
  std::int32_t status = 0; ///< exit status or signal number
  bool condition = true;   ///< whether its Condition…= held at the last start
};

/// One line of a list of units.
struct unit_row {
  std::string name;      ///< as asked for
  std::string load;      ///< LoadState
  std::string active;    ///< ActiveState
  std::string sub;       ///< SubState
  std::string path;      ///< object path
  std::uint32_t job = 0; ///< id of the queued job; 0: none
};

enum class unit_job { start, stop, restart };

/// "start", "stop", "restart".
std::string_view name_of(unit_job j) noexcept;

/// A service manager. Thread-safe: several threads may be in a call at once, and one that hangs
/// holds up no other.
///
/// Every call fails with `runtime_unavailable` when the manager or the bus is away, with
/// `permission_denied` when it refuses this process, and as `wait_limit` says.
class systemd_port {
public:
  virtual ~systemd_port() = default;

  /// The folder for unit files that this manager reads and an administrator (so this agent) writes.
  [[nodiscard]] virtual const std::filesystem::path& unit_folder() const = 0;

  /// The command that shows a unit's log, for messages: "journalctl -u" or "journalctl --user -u".
  [[nodiscard]] virtual std::string_view journal_command() const = 0;

  /// The properties of `unit`; one that does not exist has load_state "not-found". The unit file
  /// state, as of now and not of the last reload, only `with_file_state`: for a unit that is not
  /// enabled it costs 2 ms, once a reload.
  virtual outcome<unit_properties> properties(const std::string& unit, bool with_file_state,
                                              const wait_limit& limit) = 0;

  /// Whether the files of `unit` changed since the manager loaded them.
  virtual outcome<bool> needs_reload(const std::string& unit, const wait_limit& limit) = 0;

  /// How the last run of `unit` ended.
  virtual outcome<unit_result> result(const std::string& unit, const wait_limit& limit) = 0;

  /// Queues a job for `unit`, replacing contrary ones, and waits for its end. Gives systemd's word
  /// for it: "done", "failed", "timeout", "dependency", "canceled", "skipped", …; empty when the
  /// job was accepted and the limit came before its end: it stays queued. Fails with
  /// unit_not_found, unit_masked or unit_invalid when the job is not accepted.
  virtual outcome<std::string> run(unit_job what, const std::string& unit,
                                   const wait_limit& limit) = 0;

  /// Forgets that `unit` failed, and its start counter. An unknown unit is success.
  virtual outcome<void> reset_failed(const std::string& unit, const wait_limit& limit) = 0;

  /// Enables a unit file for the next boots. Fails with unit_invalid when it has no [Install].
  virtual outcome<void> enable(const std::string& unit, const wait_limit& limit) = 0;

  /// Removes every link that enables `unit`, also of a unit file that is gone.
  virtual outcome<void> disable(const std::string& unit, const wait_limit& limit) = 0;

  /// Makes the manager read all unit files again, those written before this call included.
  /// Concurrent callers share reloads: one is made once no more callers come, and serves all that
  /// wait; who comes while one runs waits for the next.
  virtual outcome<void> reload(const wait_limit& limit) = 0;

  /// The rows of `units`, in their order, by one call.
  virtual outcome<std::vector<unit_row>> list(const std::vector<std::string>& units,
                                              const wait_limit& limit) = 0;
};

/// Something that happened to the service manager or to a unit.
struct systemd_event {
  enum class kind {
    unit,    ///< a property of `unit` changed, or a job of it ended
    files,   ///< unit files were enabled, disabled or loaded anew
    lost,    ///< the connection or the manager went: events may have been missed
    restored ///< events come again
  };
  kind what = kind::unit;
  std::string unit; ///< only of kind::unit
};

/// The events of a service manager.
class systemd_events {
public:
  using on_event = std::function<void(const systemd_event&)>;

  virtual ~systemd_events() = default;

  /// Sets who is told, from a thread of the manager's; an empty sink: nobody. After this returned
  /// the former sink is not called any more. The sink must not block.
  virtual void listen(on_event sink) = 0;

  /// Sets the units whose property changes are of interest. Does not wait.
  virtual void watch_units(std::vector<std::string> units) = 0;

  /// Whether events come.
  [[nodiscard]] virtual bool listening() const = 0;
};

/// The capability: a topology whose `systemd()` is a service manager.
template <class T>
concept has_systemd = requires(T& t) {
  { t.systemd() } -> std::convertible_to<systemd_port&>;
};

/// Whether `text` is a unit name with a suffix that systemd knows, and thus a safe file name.
bool is_unit_name(std::string_view text) noexcept;

/// The object path of a unit: "web.service" is "/org/freedesktop/systemd1/unit/web_2eservice".
std::string unit_object_path(std::string_view unit);

} // namespace harmony

#pragma once

// Transient units: services that are made, run once and forgotten over the bus, with no file of
// anybody's. The real thing is `systemd_manager`; tests bring their own.

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "model/manifest.hpp"
#include "model/outcome.hpp"
#include "topology/systemd.hpp"

namespace harmony {

/// An ExecStart= whose arguments reach the program as they are: nothing in them is expanded.
struct exec_line {
  std::vector<std::string> arguments;

  friend bool operator==(const exec_line&, const exec_line&) = default;
};

/// What alone is allowed, e.g. of SystemCallFilter=.
struct allow_list {
  std::vector<std::string> names;

  friend bool operator==(const allow_list&, const allow_list&) = default;
};

/// A property of a unit as org.freedesktop.systemd1 names and types it; times in microseconds.
struct unit_setting {
  using value_type =
    std::variant<bool, std::uint64_t, std::string, std::vector<std::string>, exec_line, allow_list>;
  std::string name;
  value_type value;

  friend bool operator==(const unit_setting&, const unit_setting&) = default;
};

struct transient_unit {
  std::string name; ///< with its suffix
  std::vector<unit_setting> settings;

  friend bool operator==(const transient_unit&, const transient_unit&) = default;
};

/// A service that the manager holds, and how far its run is.
struct transient_run {
  std::string description;
  std::string active_state; ///< "activating", "active" (ended well and kept), "failed", …
  bool queued = false;      ///< a job of it waits or goes on
  unit_result result;
  std::optional<timestamp> started; ///< of its main process
  std::optional<timestamp> ended;   ///< likewise

  /// Whether nothing of it runs any more.
  [[nodiscard]] bool over() const {
    return !queued
           && (active_state == "active" || active_state == "failed" || active_state == "inactive");
  }
};

/// Runs transient units. Thread-safe; every call fails as those of systemd_port do.
class transient_port {
public:
  virtual ~transient_port() = default;

  /// Where the output of running units goes; lasts until the next boot.
  [[nodiscard]] virtual const std::filesystem::path& output_folder() const = 0;

  /// Makes that folder, for this user only and, where the manager can, of a size that leaves the
  /// device its memory. One that is there is success.
  virtual outcome<void> make_output_folder(const wait_limit& limit) = 0;

  /// Makes the unit and queues its start; does not wait for it. Fails with name_conflict when a
  /// unit of that name is there, and with unit_invalid when a setting is refused.
  virtual outcome<void> start_transient(const transient_unit& unit, const wait_limit& limit) = 0;

  /// The run of service `unit`; nothing when the manager holds no such unit.
  virtual outcome<std::optional<transient_run>> run_of(const std::string& unit,
                                                       const wait_limit& limit) = 0;

  /// Waits until `unit` is over or gone; what it is then. Fails with timed_out at the limit.
  virtual outcome<std::optional<transient_run>> await_end(const std::string& unit,
                                                          const wait_limit& limit) = 0;

  /// Kills what of `unit` still runs and makes the manager forget it; when this returns with
  /// success a unit of its name can be made anew. An unknown unit is success.
  virtual outcome<void> discard(const std::string& unit, const wait_limit& limit) = 0;
};

/// The capability: a topology whose `jobs()` runs transient units.
template <class T>
concept has_jobs = requires(T& t) {
  { t.jobs() } -> std::convertible_to<transient_port&>;
};

} // namespace harmony

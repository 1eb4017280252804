#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/outcome.hpp"
#include "topology/systemd_transient.hpp"

namespace harmony {

/// An error reply, by its D-Bus name.
struct bus_error {
  std::string name;
  std::string message;
};

/// What a reply holds; nothing else is read from it.
enum class bus_answer {
  none,
  path,     ///< o: the path of a job
  text,     ///< s
  flag,     ///< b, first of more: EnableUnitFiles
  property, ///< v: one property of a basic type, or a byte array as hexadecimal text
  units     ///< a(ssssssouso)
};

using bus_value =
  std::variant<std::monostate, bool, std::int32_t, std::uint32_t, std::uint64_t, std::string>;

struct bus_unit {
  std::string name, load, active, sub, path;
  std::uint32_t job = 0;
};

struct bus_reply {
  std::optional<bus_error> error;
  std::string text; ///< of path and text
  bool flag = false;
  bus_value value; ///< of property
  std::vector<bus_unit> units;
};

/// a(sa(sv)) of StartTransientUnit, empty.
struct no_auxiliary_units {};

using bus_argument = std::variant<std::string, bool, std::vector<std::string>,
                                  std::vector<unit_setting>, no_auxiliary_units>;

/// A method call on an object of the service manager.
struct bus_request {
  std::string path, interface, method;
  std::vector<bus_argument> arguments;
  bus_answer answer = bus_answer::none;
};

struct bus_signal {
  std::string path, member;
  std::vector<std::string> arguments; ///< the strings and object paths among the leading ones
};

/// One connection to the bus of a service manager. The only place that knows sdbus-c++ (version 1;
/// version 2 renames the calls used here). Not thread-safe: everything, the callbacks too, happens
/// on the thread that calls `process`.
class systemd_link {
public:
  using on_signal = std::function<void(const bus_signal&)>;
  using on_reply = std::function<void(bus_reply)>;
  using milliseconds = std::chrono::milliseconds;

  /// Connects; may block for as long as the bus does not answer. `address`: a D-Bus address; empty:
  /// the system bus. Fails with runtime_unavailable or permission_denied.
  static outcome<std::unique_ptr<systemd_link>> open(const std::string& address, on_signal sink);

  virtual ~systemd_link() = default;

  [[nodiscard]] virtual int fd() const = 0;
  [[nodiscard]] virtual short poll_events() const = 0;
  [[nodiscard]] virtual int poll_timeout() const = 0; ///< ms; -1: none

  /// Handles one message, if any; gives whether there was one. Fails when the connection is lost.
  virtual outcome<bool> process() = 0;

  /// Sends a call; `done` comes from `process`, with an error reply after `timeout` at the latest,
  /// or never when the link goes before.
  virtual outcome<void> call(const bus_request& request, milliseconds timeout, on_reply done) = 0;

  /// Asks for the signals that `rule` matches, as long as the result lives. Blocks for one round
  /// trip.
  virtual outcome<std::shared_ptr<void>> match(const std::string& rule) = 0;

protected:
  systemd_link() = default;
};

} // namespace harmony

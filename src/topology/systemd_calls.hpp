#pragma once

// What the calls of systemd_manager share; for its sources only.

#include <chrono>
#include <string>
#include <vector>

#include "topology/systemd.hpp"
#include "topology/systemd_loop.hpp"

namespace harmony::systemd_calls {

using clock = std::chrono::steady_clock;

constexpr auto manager_path = "/org/freedesktop/systemd1";
constexpr auto manager_interface = "org.freedesktop.systemd1.Manager";
constexpr auto unit_interface = "org.freedesktop.systemd1.Unit";
constexpr auto properties_interface = "org.freedesktop.DBus.Properties";

enum class ending { answered, timed_out, canceled };

/// Waits for the replies of `wait`.
ending await(bus_wait& wait, const wait_limit& limit);

/// The failure of `what` that was not answered.
failure interrupted(const std::string& what, ending why);

/// The replies, or why there are none. Error replies of single calls are in them.
outcome<std::vector<bus_reply>> replies_of(systemd_loop& loop, const systemd_loop::wait_ptr& wait,
                                           const std::string& what, const wait_limit& limit);

bus_request manager_call(std::string method, std::vector<bus_argument> arguments,
                         bus_answer answer);

bus_request property_of(const std::string& unit, std::string interface, std::string name);

/// "web.service": "org.freedesktop.systemd1.Service".
std::string type_interface(const std::string& unit);

template <class T>
T value_or(const bus_value& v, T otherwise) {
  const auto* held = std::get_if<T>(&v);
  return held == nullptr ? otherwise : *held;
}

/// "unit 'web.service'"
std::string quoted(const std::string& unit);

} // namespace harmony::systemd_calls

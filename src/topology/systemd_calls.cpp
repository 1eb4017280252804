#include "topology/systemd_calls.hpp"

#include <algorithm>
#include <utility>

namespace harmony::systemd_calls {

ending await(bus_wait& wait, const wait_limit& limit) {
  const std::stop_callback wake{limit.cancel, [&wait] {
                                  const std::lock_guard lock{wait.mutex};
                                  wait.changed.notify_all();
                                }};
  // time_point::max() overflows in some clocks' conversions.
  const auto deadline = std::min(limit.deadline, clock::now() + std::chrono::hours{24});
  std::unique_lock lock{wait.mutex};
  wait.changed.wait_until(lock, deadline,
                          [&] { return wait.missing == 0 || limit.cancel.stop_requested(); });
  if (wait.missing == 0)
    return ending::answered;
  return limit.cancel.stop_requested() ? ending::canceled : ending::timed_out;
}

failure interrupted(const std::string& what, ending why) {
  if (why == ending::canceled)
    return {ec::canceled, what + ": canceled"};
  return {ec::timed_out, what + ": the service manager did not answer before the deadline"};
}

outcome<std::vector<bus_reply>> replies_of(systemd_loop& loop, const systemd_loop::wait_ptr& wait,
                                           const std::string& what, const wait_limit& limit) {
  if (const auto end = await(*wait, limit); end != ending::answered) {
    loop.abandon(wait);
    return interrupted(what, end);
  }
  // sd-bus gives a call that had no answer in time an error reply.
  for (const auto& r : wait->replies)
    if (r.error && r.error->name == "org.freedesktop.DBus.Error.NoReply"
        && clock::now() >= limit.deadline)
      return interrupted(what, ending::timed_out);
  return std::move(wait->replies);
}

bus_request manager_call(std::string method, std::vector<bus_argument> arguments,
                         bus_answer answer) {
  return {manager_path, manager_interface, std::move(method), std::move(arguments), answer};
}

bus_request property_of(const std::string& unit, std::string interface, std::string name) {
  return {unit_object_path(unit),
          properties_interface,
          "Get",
          {std::move(interface), std::move(name)},
          bus_answer::property};
}

std::string type_interface(const std::string& unit) {
  auto type = unit.substr(unit.rfind('.') + 1);
  if (!type.empty() && type.front() >= 'a' && type.front() <= 'z')
    type.front() = static_cast<char>(type.front() - 'a' + 'A');
  return "org.freedesktop.systemd1." + type;
}

std::string quoted(const std::string& unit) {
  return "unit '" + unit + "'";
}

} // namespace harmony::systemd_calls

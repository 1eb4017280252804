#include "topology/systemd_link.hpp"

#include <sdbus-c++/sdbus-c++.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <string_view>
#include <system_error>
#include <utility>

namespace harmony {

namespace {

constexpr auto manager_name = "org.freedesktop.systemd1";

std::string hex(const std::vector<std::uint8_t>& bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const auto b : bytes) {
    text += digits[b >> 4U];
    text += digits[b & 0xfU];
  }
  return text;
}

bus_value decode(const sdbus::Variant& v) {
  const auto type = v.peekValueType();
  if (type == "s")
    return v.get<std::string>();
  if (type == "b")
    return v.get<bool>();
  if (type == "i")
    return v.get<std::int32_t>();
  if (type == "u")
    return v.get<std::uint32_t>();
  if (type == "t")
    return v.get<std::uint64_t>();
  if (type == "ay")
    return hex(v.get<std::vector<std::uint8_t>>());
  return {};
}

void decode_units(sdbus::Message& msg, bus_reply& out) {
  using row =
    sdbus::Struct<std::string, std::string, std::string, std::string, std::string, std::string,
                  sdbus::ObjectPath, std::uint32_t, std::string, sdbus::ObjectPath>;
  std::vector<row> rows;
  msg >> rows;
  for (auto& r : rows)
    out.units.push_back({std::get<0>(r), std::get<2>(r), std::get<3>(r), std::get<4>(r),
                         std::get<6>(r), std::get<7>(r)});
}

void decode(sdbus::Message& msg, bus_answer answer, bus_reply& out) {
  switch (answer) {
  case bus_answer::none: break;
  case bus_answer::path: {
    sdbus::ObjectPath path;
    msg >> path;
    out.text = path;
    break;
  }
  case bus_answer::text: msg >> out.text; break;
  case bus_answer::flag: msg >> out.flag; break;
  case bus_answer::property: {
    sdbus::Variant v;
    msg >> v;
    out.value = decode(v);
    break;
  }
  case bus_answer::units: decode_units(msg, out); break;
  }
}

bus_signal decode_signal(sdbus::Message& msg) {
  bus_signal s{msg.getPath(), msg.getMemberName(), {}};
  if (s.member == "JobRemoved") { // u id, o job, s unit, s result
    std::uint32_t id = 0;
    sdbus::ObjectPath job;
    std::string unit;
    std::string result;
    msg >> id >> job >> unit >> result;
    s.arguments = {std::move(job), std::move(unit), std::move(result)};
  } else if (s.member == "NameOwnerChanged") {
    std::string name;
    std::string before;
    std::string after;
    msg >> name >> before >> after;
    s.arguments = {std::move(name), std::move(before), std::move(after)};
  } else if (s.member == "Reloading") {
    bool active = false;
    msg >> active;
    s.arguments = {active ? "true" : "false"};
  }
  return s;
}

using bus_property = sdbus::Struct<std::string, sdbus::Variant>;

struct encode_setting {
  template <class T>
  sdbus::Variant operator()(const T& plain) const {
    return sdbus::Variant{plain};
  }
  sdbus::Variant operator()(const exec_line& e) const {
    using line = sdbus::Struct<std::string, std::vector<std::string>, std::vector<std::string>>;
    const std::vector<std::string> flags{"no-env-expand"};
    return sdbus::Variant{std::vector<line>{line{e.arguments.at(0), e.arguments, flags}}};
  }
  sdbus::Variant operator()(const allow_list& a) const {
    return sdbus::Variant{sdbus::Struct<bool, std::vector<std::string>>{true, a.names}};
  }
};

struct encode_argument {
  sdbus::Message& msg;

  template <class T>
  void operator()(const T& plain) const {
    msg << plain;
  }
  void operator()(const std::vector<unit_setting>& settings) const {
    std::vector<bus_property> properties;
    properties.reserve(settings.size());
    for (const auto& s : settings)
      properties.emplace_back(s.name, std::visit(encode_setting{}, s.value));
    msg << properties;
  }
  void operator()(no_auxiliary_units /*none*/) const {
    msg << std::vector<sdbus::Struct<std::string, std::vector<bus_property>>>{};
  }
};

failure unreachable(const std::string& address, ec code, const std::string& why) {
  return {code, "cannot connect to the bus at '"
                  + (address.empty() ? "the system's address" : address) + "': " + why};
}

failure unreachable(const std::string& address, const sdbus::Error& e) {
  const bool denied = e.getName() == "org.freedesktop.DBus.Error.AccessDenied";
  return unreachable(address, denied ? ec::permission_denied : ec::runtime_unavailable,
                     e.getMessage());
}

// sdbus-c++ 1 loses 1.8 KiB with each failed attempt at an address: over days without a bus that
// adds up. So it is called only where somebody listens, as far as that can be told beforehand.
outcome<void> somebody_listens(const std::string& address) {
  constexpr std::string_view scheme = "unix:path=";
  if (address.compare(0, scheme.size(), scheme) != 0
      || address.find_first_of(";%") != std::string::npos)
    return {};
  const auto path = address.substr(scheme.size(), address.find(',') - scheme.size());
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  if (path.size() >= sizeof where.sun_path)
    return {};
  path.copy(&where.sun_path[0], path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): what connect takes
  const int r = ::connect(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where);
  const int error = errno;
  if (fd >= 0)
    ::close(fd);
  if (r == 0)
    return {};
  return unreachable(address, error == EACCES ? ec::permission_denied : ec::runtime_unavailable,
                     std::generic_category().message(error));
}

class sdbus_link final : public systemd_link {
public:
  sdbus_link(std::unique_ptr<sdbus::IConnection> bus, on_signal sink)
    : bus_(std::move(bus)), sink_(std::move(sink)) {}

  [[nodiscard]] int fd() const override { return bus_->getEventLoopPollData().fd; }
  [[nodiscard]] short poll_events() const override { return bus_->getEventLoopPollData().events; }
  [[nodiscard]] int poll_timeout() const override {
    return bus_->getEventLoopPollData().getPollTimeout();
  }

  outcome<bool> process() override {
    try {
      return bus_->processPendingRequest();
    } catch (const std::exception& e) {
      return {ec::runtime_unavailable,
              std::string{"the connection to the bus was lost: "} + e.what()};
    }
  }

  outcome<void> call(const bus_request& request, milliseconds timeout, on_reply done) override {
    try {
      auto& object = object_at(request.path);
      auto msg = object.createMethodCall(request.interface, request.method);
      for (const auto& a : request.arguments)
        std::visit(encode_argument{msg}, a);
      const auto answer = request.answer;
      object.callMethod(
        msg,
        [answer, done = std::move(done)](sdbus::MethodReply& reply, const sdbus::Error* error) {
          done(read(reply, error, answer));
        },
        static_cast<std::uint64_t>(std::chrono::microseconds{timeout}.count()));
      return {};
    } catch (const std::exception& e) {
      return {ec::runtime_unavailable, "cannot call '" + request.method + "': " + e.what()};
    }
  }

  outcome<std::shared_ptr<void>> match(const std::string& rule) override {
    try {
      auto slot = bus_->addMatch(rule, [this](sdbus::Message& msg) { deliver(msg); });
      return std::shared_ptr<void>{std::move(slot)};
    } catch (const std::exception& e) {
      return {ec::runtime_unavailable, std::string{"cannot ask the bus for signals: "} + e.what()};
    }
  }

private:
  // Exceptions must not reach the C library that calls back.
  static bus_reply read(sdbus::MethodReply& reply, const sdbus::Error* error, bus_answer answer) {
    bus_reply out;
    if (error != nullptr) {
      out.error = bus_error{error->getName(), error->getMessage()};
      return out;
    }
    try {
      decode(reply, answer, out);
    } catch (const std::exception& e) {
      out.error = bus_error{"org.freedesktop.DBus.Error.InvalidSignature", e.what()};
    }
    return out;
  }

  void deliver(sdbus::Message& msg) {
    try {
      sink_(decode_signal(msg));
    } catch (const std::exception&) {
      // A signal of another shape than systemd's: not for us.
    }
  }

  // Proxies live as long as the connection: a call in flight needs its own.
  sdbus::IProxy& object_at(const std::string& path) {
    auto& slot = objects_[path];
    if (!slot)
      slot = sdbus::createProxy(*bus_, manager_name, path);
    return *slot;
  }

  std::unique_ptr<sdbus::IConnection> bus_;
  on_signal sink_;
  std::map<std::string, std::unique_ptr<sdbus::IProxy>> objects_;
};

} // namespace

outcome<std::unique_ptr<systemd_link>> systemd_link::open(const std::string& address,
                                                          on_signal sink) {
  if (const auto there = somebody_listens(address); !there)
    return there.error();
  try {
    auto bus = address.empty() ? sdbus::createSystemBusConnection()
                               : sdbus::createSessionBusConnectionWithAddress(address);
    return std::unique_ptr<systemd_link>{
      std::make_unique<sdbus_link>(std::move(bus), std::move(sink))};
  } catch (const sdbus::Error& e) {
    return unreachable(address, e);
  } catch (const std::exception& e) {
    return {ec::internal, std::string{"cannot open a bus connection: "} + e.what()};
  }
}

} // namespace harmony

// What the service manager's bus sends, whatever sends in its place. An input is a choice of the
// message, its signature behind a length, and its body.

#include <array>
#include <chrono>
#include <memory>
#include <string>

#include "fake_bus.hpp"

namespace harmony::fuzz {

namespace {

constexpr auto manager = "/org/freedesktop/systemd1";
constexpr auto interface = "org.freedesktop.systemd1.Manager";
constexpr auto failed = "org.freedesktop.DBus.Error.Failed";

constexpr std::array answers{bus_answer::none, bus_answer::path,     bus_answer::text,
                             bus_answer::flag, bus_answer::property, bus_answer::units};
constexpr std::array signals{"JobRemoved", "NameOwnerChanged", "Reloading", "UnitNew"};

std::unique_ptr<fake_bus>& bus() {
  static std::unique_ptr<fake_bus> it;
  return it;
}

bool answer(bus_answer shape, bool error, std::string_view signature, std::string_view body) {
  const auto told = std::make_shared<int>(0); // a link that goes takes its calls along
  bus_request ask{manager, interface, "Get", {}, shape};
  const auto sent = bus()->link().call(ask, std::chrono::seconds{60},
                                       [told](const bus_reply& /*reply*/) { ++*told; });
  if (!sent)
    return false;
  const auto call = bus()->last_call();
  bus_message head{error ? bus_message::kind::error : bus_message::kind::reply};
  head.field(5, call).field(7, 's', ":1.2");
  if (error)
    head.field(4, 's', failed);
  if (!signature.empty())
    head.field(8, 'g', signature);
  if (!bus()->deliver(head, body))
    return false;
  if (*told == 0) { // no message at all to the client library, which dropped it: a good one follows
    bus_message good{bus_message::kind::error};
    good.field(5, call).field(7, 's', ":1.2").field(4, 's', failed);
    if (!bus()->deliver(good, ""))
      return false;
  }
  require(*told == 1, "each call is answered once");
  return true;
}

bool signal(const char* name, std::string_view signature, std::string_view body) {
  bus_message head{bus_message::kind::signal};
  head.field(1, 'o', manager).field(2, 's', interface).field(3, 's', name).field(7, 's', ":1.2");
  if (!signature.empty())
    head.field(8, 'g', signature);
  return bus()->deliver(head, body);
}

} // namespace

void take(std::string_view bytes) {
  if (bytes.size() < 2)
    return;
  const auto choice = static_cast<unsigned char>(bytes[0]);
  const auto length = static_cast<unsigned char>(bytes[1]);
  const auto signature = bytes.substr(2, length);
  const auto body = bytes.substr(2 + signature.size());
  if (!bus())
    bus() = std::make_unique<fake_bus>([](const bus_signal& s) {
      require(s.arguments.size() <= 3, "a signal has at most three arguments that are read");
    });
  const auto n = choice % (answers.size() * 2 + signals.size());
  const bool alive = n < answers.size() * 2
                       ? answer(answers.at(n / 2), n % 2 == 1, signature, body)
                       : signal(signals.at(n - answers.size() * 2), signature, body);
  if (!alive)
    bus().reset(); // malformed: the client library hangs up, as it should
}

} // namespace harmony::fuzz

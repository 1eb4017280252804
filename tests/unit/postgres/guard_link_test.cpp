#include "postgres/guard_link.hpp"

#include <array>
#include <atomic>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guard/socket_path.hpp"
#include "guard/system.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/temp_dir.hpp"

namespace harmony::postgres {

using namespace std::chrono_literals;
using test::eventually;

namespace {

/// A socket where a guard would listen; it says what it is told to.
class fake_guard {
public:
  explicit fake_guard(const std::string& path)
    : listener_(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) {
    const auto at = guard::address_of(path);
    REQUIRE(at);
    REQUIRE(::bind(listener_.get(), guard::generic(*at), sizeof *at) == 0);
    REQUIRE(::listen(listener_.get(), 1) == 0);
  }

  void accept(const guard::report& hello) {
    pollfd ready{listener_.get(), POLLIN, 0};
    REQUIRE(::poll(&ready, 1, 10000) == 1);
    peer_ = open_fd{::accept(listener_.get(), nullptr, nullptr)};
    const auto text = guard::write_report(hello);
    REQUIRE(::send(peer_.get(), text.data(), text.size(), MSG_NOSIGNAL) > 0);
  }
  /// The next request; empty where none comes.
  std::string hears(int milliseconds) {
    pollfd ready{peer_.get(), POLLIN, 0};
    if (::poll(&ready, 1, milliseconds) != 1)
      return {};
    std::array<char, guard::longest_message> text{};
    const auto n = ::recv(peer_.get(), text.data(), text.size(), 0);
    return n > 0 ? std::string{text.data(), static_cast<std::size_t>(n)} : std::string{};
  }
  void hang_up() { peer_ = open_fd{}; }

private:
  open_fd listener_;
  open_fd peer_;
};

struct bed {
  test::temp_dir folder;
  std::string path = folder / "guard.sock";
  std::mutex mutex;
  failover::ev::guard told;
  guard_link link{path, 2s};

  void open() {
    link.open(
      [this](const failover::ev::guard& is) {
        const std::scoped_lock lock{mutex};
        told = is;
      },
      [] {});
  }
  failover::ev::guard now() {
    const std::scoped_lock lock{mutex};
    return told;
  }
  /// 1: done, 2: not.
  int disarmed() {
    auto said = std::make_shared<std::atomic<int>>(0);
    link.disarm([said](bool ok) { *said = ok ? 1 : 2; });
    CHECK(eventually([&] { return *said != 0; }, 10s));
    return *said;
  }
};

guard::report hello(std::uint64_t epoch, guard::boot_time deadline) {
  guard::report r;
  r.what = guard::report::kind::hello;
  r.epoch = epoch;
  r.deadline = deadline;
  return r;
}

} // namespace

TEST_CASE("guard link: a guard that keeps a deadline -> is told with its epoch") {
  bed b;
  fake_guard g{b.path};
  const auto deadline = guard::boot_now() + 100s;
  b.open();
  g.accept(hello(7, deadline));
  CHECK(eventually([&] { return b.now().healthy; }, 10s));
  CHECK(b.now().epoch == 7);
  CHECK(b.now().deadline == failover::instant{deadline + 2s});
}

TEST_CASE("guard link: no guard -> nothing to disarm") {
  bed b;
  b.open();
  CHECK(b.disarmed() == 1); // no socket
  { const fake_guard g{b.path}; }
  CHECK(b.disarmed() == 1); // nobody listens at it
}

TEST_CASE("guard link: a guard that is silent -> is not taken for one that is gone") {
  bed b;
  const fake_guard g{b.path}; // it takes the connection, and says nothing
  b.open();
  CHECK(b.disarmed() == 2);
}

TEST_CASE("guard link: a disarm while a deadline is in flight -> the deadline is not passed on "
          "again") {
  bed b;
  fake_guard g{b.path};
  b.open();
  g.accept(hello(0, {}));
  b.link.arm({failover::instant{guard::boot_now() + 100s}, 7});
  REQUIRE(g.hears(10000).rfind("arm", 0) == 0);
  std::atomic<int> done{0};
  b.link.disarm([&](bool ok) { done = ok ? 1 : 2; });
  g.hang_up();
  CHECK(eventually([&] { return done != 0; }, 10s));
  g.accept(hello(0, {}));
  CHECK(g.hears(700).empty());
}

} // namespace harmony::postgres

#include <random>
#include <vector>

#include "guard/machine.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

using namespace harmony::guard;
using namespace std::chrono_literals;

/// The machine, a clock, and a PostgreSQL that does as it is told.
class world {
public:
  decision send(const event& e) {
    const auto d = step(s_, e, now_);
    check(d);
    s_ = d.next;
    return d;
  }
  void pass(boot_time t) { now_ += t; }
  [[nodiscard]] const state& at() const { return s_; }
  [[nodiscard]] boot_time now() const { return now_; }
  [[nodiscard]] boot_time in(boot_time t) const { return now_ + t; }

private:
  void check(const decision& d) const {
    const bool may_go_on = d.next.now != phase::killing;
    INFO(word_of(s_.now) << " -> " << word_of(d.next.now));
    if (d.next.writable && may_go_on)
      CHECK(armed(d.next, now_));
    if (d.act == effect::launch_primary || d.act == effect::tell_promote)
      CHECK(armed(d.next, now_));
    if (s_.now == phase::killing && d.next.now != phase::stopped)
      CHECK(d.next.now == phase::killing);
    if (s_.writable)
      CHECK(d.next.deadline >= s_.deadline);
    CHECK(d.next.epoch >= s_.epoch);
    if (d.refused != refusal::none)
      CHECK((d.act == effect::none || d.act == effect::kill_tree));
    if (d.next.now == phase::stopped)
      CHECK_FALSE(d.next.writable);
  }

  state s_;
  boot_time now_ = 1000s;
};

world primary_until(boot_time lease) {
  world w;
  w.send(arm{5, w.in(lease)});
  REQUIRE(w.send(start{true}).act == effect::launch_primary);
  return w;
}

TEST_CASE("guard machine: primary at its deadline -> killed, once") {
  auto w = primary_until(3s);
  w.pass(3s - 1ns);
  CHECK(w.send(time_passed{}).act == effect::none);
  w.pass(1ns);
  CHECK(w.send(time_passed{}).act == effect::kill_tree);
  CHECK(w.at().ended == ending::deadline);
  CHECK(w.send(time_passed{}).act == effect::none);
  CHECK(w.send(postmaster_ended{}).act == effect::kill_tree);
  CHECK(w.send(tree_emptied{}).act == effect::settle);
  CHECK(w.at().now == phase::stopped);
  CHECK(w.at().ended == ending::deadline);
}

TEST_CASE("guard machine: arm that arrives at the deadline -> too late") {
  auto w = primary_until(3s);
  w.pass(3s);
  const auto d = w.send(arm{5, w.in(3s)});
  CHECK(d.act == effect::kill_tree);
  CHECK(w.at().now == phase::killing);
  SECTION("and the next one does not stop the killing either") {
    w.send(arm{6, w.in(9s)});
    CHECK(w.at().now == phase::killing);
  }
}

TEST_CASE("guard machine: standby whose lease ends -> runs on, and is not promoted any more") {
  world w;
  w.send(start{false});
  w.send(arm{5, w.in(3s)});
  w.pass(4s);
  CHECK(w.send(time_passed{}).act == effect::none);
  CHECK(w.at().now == phase::standby);
  CHECK(w.send(promote{}).refused == refusal::no_lease);
}

TEST_CASE(
  "guard machine: promoted behind its back -> killed without a lease, held to one with it") {
  world w;
  w.send(start{false});
  SECTION("without") {
    CHECK(w.send(promotion_seen{}).act == effect::kill_tree);
    CHECK(w.at().ended == ending::unlicensed);
  }
  SECTION("with") {
    w.send(arm{5, w.in(3s)});
    CHECK(w.send(promotion_seen{}).act == effect::none);
    CHECK(w.at().now == phase::primary);
    w.pass(3s);
    CHECK(w.send(time_passed{}).act == effect::kill_tree);
  }
  SECTION("while it stops, without") {
    w.send(stop{});
    CHECK(w.send(promotion_seen{}).act == effect::kill_tree);
  }
}

TEST_CASE("guard machine: fast stop that lasts beyond the deadline -> killed") {
  auto w = primary_until(3s);
  CHECK(w.send(stop{}).act == effect::tell_stop);
  CHECK(w.send(release{}).refused == refusal::writable);
  w.pass(3s);
  CHECK(w.send(time_passed{}).act == effect::kill_tree);
  CHECK(w.at().ended == ending::deadline);
}

TEST_CASE("guard machine: told to end -> stops PostgreSQL first") {
  auto w = primary_until(3s);
  CHECK(w.send(terminated{}).act == effect::tell_stop);
  CHECK(w.send(terminated{}).act == effect::none);
  CHECK(w.send(postmaster_ended{}).act == effect::kill_tree);
  CHECK(w.send(tree_emptied{}).act == effect::leave);
  CHECK(w.send(start{false}).refused == refusal::leaving);
  CHECK(world{}.send(terminated{}).act == effect::leave);
}

TEST_CASE(
  "guard machine: agent lost after each step of its life -> never writable past a deadline") {
  // What an agent does, from first start over a promotion to a stop.
  const auto life = [](const world& w, std::size_t i) -> event {
    switch (i) {
    case 0: return start{false};
    case 1: return arm{5, w.in(3s)};
    case 2: return promote{};
    case 3: return arm{5, w.in(4s)};
    case 4: return arm{6, w.in(5s)};
    case 5: return stop{};
    default: return release{};
    }
  };
  constexpr std::size_t steps = 7;
  for (std::size_t prefix = 0; prefix <= steps; ++prefix) {
    INFO("lost after step " << prefix);
    world w;
    for (std::size_t i = 0; i < prefix; ++i)
      w.send(life(w, i));
    const bool wrote = w.at().writable;
    w.pass(10s);
    w.send(time_passed{});
    CHECK((w.at().now == phase::killing) == wrote);
    CHECK((w.at().now == phase::standby) == (prefix == 1 || prefix == 2));
  }
}

TEST_CASE("guard machine: random events, lost and late -> the invariants hold") {
  for (unsigned seed = 0; seed < 200; ++seed) {
    INFO("seed " << seed);
    std::mt19937 dice{seed};
    const auto up_to = [&](int n) { return static_cast<int>(dice() % static_cast<unsigned>(n)); };
    world w;
    for (int i = 0; i < 300; ++i) {
      const auto epoch = static_cast<std::uint64_t>(up_to(6));
      const std::vector<event> all{arm{epoch, w.now() + up_to(4000) * 1ms - 500ms},
                                   arm{w.at().epoch, w.in(std::chrono::seconds{up_to(4)})},
                                   start{up_to(2) == 0},
                                   promote{},
                                   stop{},
                                   release{},
                                   status{},
                                   launch_failed{},
                                   promote_failed{},
                                   postmaster_ended{},
                                   promotion_seen{},
                                   time_passed{},
                                   w.at().now == phase::killing ? event{tree_emptied{}}
                                                                : event{time_passed{}}};
      w.send(all[static_cast<std::size_t>(up_to(static_cast<int>(all.size())))]);
      w.pass(up_to(800) * 1ms);
    }
  }
}

} // namespace

} // namespace harmony::test

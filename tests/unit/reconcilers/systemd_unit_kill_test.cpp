// Units, killed at every step.

#include <memory>

#include "systemd_unit_device.hpp"

namespace harmony::test {

namespace {

struct killed {};

// Lets `step` steps happen, then kills; each call is two steps: before and after its effect.
void kill_at(unit_device& d, int step) {
  auto left = std::make_shared<int>(step);
  auto tick = [left](const std::string&) {
    if ((*left)-- == 0)
      throw killed{};
  };
  d.manager.before = tick;
  d.manager.after = tick;
}

void let_live(unit_device& d) {
  d.manager.before = [](const std::string&) {};
  d.manager.after = [](const std::string&) {};
}

struct scenario {
  const char* name;
  want_t before; ///< in place at first; an empty content: nothing is
  want_t after;
};

want_t follows(want_t w, std::string stamp) {
  w.restart_stamp = std::move(stamp);
  return w;
}

std::vector<scenario> scenarios() {
  auto none = want_of("");
  none.spec.content.reset();
  return {
    {"created", none, enabled(want_of(service + install))},
    {"content changed", want_of(service), want_of(service + "Nice=5\n")},
    {"restart stamp changed", want_of(service), follows(want_of(service), "2")},
    {"[Install] changed", enabled(want_of(service + install)),
     enabled(want_of(service + "[Install]\nWantedBy=graphical.target\n"))},
    {"content and stamp changed, enabled", want_of(service + install),
     follows(enabled(want_of(service + install + "# 2\n")), "2")},
  };
}

} // namespace

TEST_CASE("systemd unit apply: killed at every step, repeated -> runs what is declared") {
  for (const auto& s : scenarios()) {
    for (int step = 0;; ++step) {
      INFO(s.name << ", killed at step " << step);
      unit_device d;
      if (s.before.spec.content)
        REQUIRE(d.converge(s.before).ok());
      const auto starts = d.manager.units[web].starts;
      kill_at(d, step);
      bool was_killed = false;
      try {
        const auto done = d.converge(s.after);
        REQUIRE(done.ok());
      } catch (const killed&) {
        was_killed = true;
      }
      let_live(d);
      // A thing without a claim must never be: nobody would clean it up.
      if (d.manager.file(web))
        REQUIRE(d.inventory.find(s.after.id, web));
      REQUIRE(d.converge(s.after).ok());
      REQUIRE(d.converged(s.after));
      const auto& unit = d.manager.units[web];
      CHECK(unit.running == text_of(s.after));
      CHECK(unit.starts > starts);
      CHECK(unit.starts <= starts + 1);
      if (s.after.spec.enabled)
        CHECK(text_of(s.after).find(unit.enabled) != std::string::npos);
      if (!was_killed)
        break;
    }
  }
}

TEST_CASE("systemd unit remove: killed at every step, repeated -> nothing is left") {
  const auto want = enabled(want_of(service + install));
  for (int step = 0;; ++step) {
    INFO("killed at step " << step);
    unit_device d;
    REQUIRE(d.converge(want).ok());
    kill_at(d, step);
    bool was_killed = false;
    try {
      const auto done = d.remove(want);
      REQUIRE(done.ok());
    } catch (const killed&) {
      was_killed = true;
    }
    let_live(d);
    REQUIRE(d.remove(want).ok());
    CHECK_FALSE(d.manager.file(web));
    CHECK(d.manager.units[web].active == "inactive");
    CHECK(d.manager.units[web].enabled.empty());
    CHECK(d.inventory.all().empty());
    if (!was_killed)
      break;
  }
}

} // namespace harmony::test

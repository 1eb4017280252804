#include "core/device_plan.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

struct row {
  const char* name;
  std::vector<change> changes;
  plan_step step;
  const char* reason;
};

} // namespace

TEST_CASE("device plan: what differs -> the strongest step, and why") {
  const std::vector<row> rows{
    {"nothing", {}, plan_step::keep, "it is as declared"},
    {"not there",
     {{action::create, "content", "", "x"}, {action::update, "state", "", "active"}},
     plan_step::create,
     "it is not on the device"},
    {"in place",
     {{action::update, "mode", "0600", "0644"}, {action::update, "owner", "root", "web"}},
     plan_step::update,
     "differs on the device: mode, owner"},
    {"not in place",
     {{action::replace, "image", "a", "b"}, {action::replace, "revision", "1", "2"}},
     plan_step::replace,
     "cannot be changed in place: image, revision"},
    {"again",
     {{action::restart, "restart", "", ""}},
     plan_step::restart,
     "it has to be started anew"},
    {"changed and again",
     {{action::update, "content", "a", "b"}, {action::restart, "restart", "", ""}},
     plan_step::update,
     "differs on the device: content"},
    {"moved",
     {{action::remove, "(former target)", "/a", ""}},
     plan_step::update,
     "something that it was before is still there"},
  };
  for (const auto& r : rows) {
    INFO(r.name);
    const auto got = plan_for({"File", "a"}, r.changes);
    CHECK(got.step == r.step);
    CHECK(got.reason == r.reason);
    CHECK(got.changes.size() == r.changes.size());
  }
}

TEST_CASE("device plan: cannot be done, or leaves -> said with its reason") {
  CHECK(plan_blocked({"File", "a"}, {ec::name_conflict, "in the way"}).reason
        == "NameConflict: in the way");
  CHECK(plan_leaving({"File", "a"}, false).step == plan_step::remove);
  CHECK(plan_leaving({"File", "a"}, true).step == plan_step::keep);
}

} // namespace harmony::test

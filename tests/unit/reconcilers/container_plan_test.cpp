#include <functional>

#include "container_bench.hpp"

namespace harmony {

namespace {

using namespace test::containers;

// A topology decides at compile time what can be built for it.
struct device_without_containers {};
template <class T>
concept can_reconcile_containers = requires {
  typename container_reconciler<T>;
};
static_assert(has_containers<device>);
static_assert(reconciler<container_reconciler<device>>);
static_assert(can_reconcile_containers<device>);
static_assert(!can_reconcile_containers<device_without_containers>);

struct plan_row {
  std::string given;
  std::function<void(desired<container_spec>&, container_observed&)> arrange;
  std::vector<change> expected;
};

const std::vector<plan_row>& plan_table() {
  using status = container_status;
  static const auto set = [](status s) {
    return [s](desired<container_spec>&, container_observed& seen) { seen.found->status = s; };
  };
  static const std::vector<plan_row> rows{
    {"nothing there",
     [](auto&, auto& seen) { seen = {}; },
     {{action::create, "state", "absent", "running"}}},
    {"nothing there, on record",
     [](auto&, auto& seen) { seen.found.reset(), seen.ours = false; },
     {{action::create, "state", "absent", "running"}}},
    {"running as desired", set(status::running), {}},
    {"created", set(status::created), {{action::update, "state", "created", "running"}}},
    {"paused", set(status::paused), {{action::update, "state", "paused", "running"}}},
    {"broken", set(status::broken), {{action::replace, "state", "broken", "running"}}},
    {"exited with 0",
     set(status::exited),
     {{action::restart, "state", "exited with code 0", "running"}}},
    {"exited with 3 and a log",
     [](auto&, auto& seen) {
       seen.found->status = status::exited;
       seen.found->exit_code = 3;
       seen.last_words = "no config";
     },
     {{action::restart, "state", "exited with code 3, last output: 'no config'", "running"}}},
    {"exited out of memory",
     [](auto&, auto& seen) {
       seen.found->status = status::exited;
       seen.found->exit_code = 137;
       seen.found->out_of_memory = true;
     },
     {{action::restart, "state", "exited with code 137 (out of memory)", "running"}}},
    {"another revision",
     [](auto& want, auto&) { want.revision = "sha256:b"; },
     {{action::replace, "revision", "sha256:a", "sha256:b"}}},
    {"another revision and image",
     [](auto& want, auto&) { want.revision = "sha256:b", want.spec.image = "localhost/app:2"; },
     {{action::replace, "image", "localhost/app:1", "localhost/app:2"},
      {action::replace, "revision", "sha256:a", "sha256:b"}}},
    {"another revision, exited: replaced, not started first",
     [](auto& want, auto& seen) {
       want.revision = "sha256:b";
       seen.found->status = status::exited;
     },
     {{action::replace, "revision", "sha256:a", "sha256:b"}}},
    {"another revision and stamp: replaced only",
     [](auto& want, auto&) { want.revision = "sha256:b", want.restart_stamp = "s2"; },
     {{action::replace, "revision", "sha256:a", "sha256:b"}}},
    {"no revision label",
     [](auto&, auto& seen) { seen.found->labels.erase(container_label::revision); },
     {{action::replace, "revision", "", "sha256:a"}}},
    {"another image name, same revision: the label decides",
     [](auto&, auto& seen) { seen.found->image = "registry/app:1"; },
     {}},
    {"a new stamp",
     [](auto& want, auto& seen) { want.restart_stamp = "s2", seen.note.restart_stamp = "s1"; },
     {{action::restart, "restartOn", "s1", "s2"}}},
    {"the first stamp",
     [](auto& want, auto&) { want.restart_stamp = "s1"; },
     {{action::restart, "restartOn", "", "s1"}}},
    {"the same stamp",
     [](auto& want, auto& seen) { want.restart_stamp = "s1", seen.note.restart_stamp = "s1"; },
     {}},
    {"no stamp any more", [](auto&, auto& seen) { seen.note.restart_stamp = "s1"; }, {}},
    {"a restart for the stamp that was cut off",
     [](auto& want, auto& seen) {
       want.restart_stamp = "s2";
       seen.note.restart_stamp = "s1";
       seen.note.restarting = true;
     },
     {{action::restart, "restartOn", "s1", "s2"}}},
    {"exited and a new stamp: one start does both",
     [](auto& want, auto& seen) {
       want.restart_stamp = "s2";
       seen.found->status = status::exited;
     },
     {{action::restart, "state", "exited with code 0", "running"}}},
    {"not on record",
     [](auto&, auto& seen) { seen.recorded = false; },
     {{action::update, "ownership", "not on record", "on record"}}},
    {"not on record and exited",
     [](auto&, auto& seen) {
       seen.recorded = false;
       seen.found->status = status::exited;
     },
     {{action::restart, "state", "exited with code 0", "running"},
      {action::update, "ownership", "not on record", "on record"}}},
  };
  return rows;
}

} // namespace

TEST_CASE("container plan: each observed state -> its changes") {
  for (const auto& row : plan_table()) {
    INFO(row.given);
    auto want = want_of();
    auto seen = seen_of(info_of(want));
    row.arrange(want, seen);
    const auto changes = container_reconciler<device>::plan(want, seen);
    REQUIRE(changes);
    CHECK(*changes == row.expected);
  }
}

TEST_CASE("container plan: a container of somebody else -> name_conflict with a remedy") {
  const auto want = want_of();
  auto seen = seen_of(info_of(want));
  seen.ours = false;
  SECTION("without labels") {
    seen.found->labels.clear();
  }
  SECTION("of another agent") {
    seen.found->labels[container_label::agent] = "pi-2";
  }
  const auto changes = container_reconciler<device>::plan(want, seen);
  REQUIRE_FALSE(changes);
  CHECK(changes.error().code == ec::name_conflict);
  CHECK(changes.error().message.find("'harmony-app'") != std::string::npos);
  CHECK(changes.error().message.find("podman rm") != std::string::npos);
  CHECK((changes.error().message.find("'pi-2'") != std::string::npos)
        == (seen.found->labels.count(container_label::agent) != 0));
}

TEST_CASE("container note: written -> read back; rubbish -> an empty note") {
  const container_note note{"sha256:a", "stamp \"1\"", 12, true};
  CHECK(read_note(write_note(note)) == note);
  for (const auto* text : {"", "{", "[]", "7", R"({"restarts":-1,"revision":4})"})
    CHECK(read_note(text) == container_note{});
}

} // namespace harmony

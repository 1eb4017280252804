#include <string>

#include "container_bench.hpp"
#include "unit/reconcilers/plan_table.hpp"

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

struct container_case {
  desired<container_spec> want = want_of();
  container_observed seen = seen_of(info_of(want_of()));
};
using test::vocabulary;

vocabulary<container_case> container_now() {
  const auto set = [](container_status status) {
    return [status](container_case& it, const std::string&) { it.seen.found->status = status; };
  };
  return {
    {"in place", [](container_case&, const std::string&) {}},
    {"nothing", [](container_case& it, const std::string&) { it.seen = {}; }},
    {"gone",
     [](container_case& it, const std::string&) { it.seen.found.reset(), it.seen.ours = false; }},
    {"created", set(container_status::created)},
    {"paused", set(container_status::paused)},
    {"broken", set(container_status::broken)},
    {"exited ",
     [](container_case& it, const std::string& value) {
       it.seen.found->status = container_status::exited;
       it.seen.found->exit_code = std::stoi(value);
     }},
    {"out of memory",
     [](container_case& it, const std::string&) { it.seen.found->out_of_memory = true; }},
    {"last words ",
     [](container_case& it, const std::string& value) { it.seen.last_words = value; }},
    {"image ", [](container_case& it, const std::string& value) { it.seen.found->image = value; }},
    {"no revision",
     [](container_case& it, const std::string&) {
       it.seen.found->labels.erase(container_label::revision);
     }},
    {"stamp ",
     [](container_case& it, const std::string& value) { it.seen.note.restart_stamp = value; }},
    {"secrets ",
     [](container_case& it, const std::string& value) {
       it.seen.found->labels[container_label::secrets] = value;
     }},
    {"restart cut off",
     [](container_case& it, const std::string&) { it.seen.note.restarting = true; }},
    {"not recorded", [](container_case& it, const std::string&) { it.seen.recorded = false; }},
    {"foreign", [](container_case& it, const std::string&) { it.seen.ours = false; }},
  };
}

vocabulary<container_case> container_wanted() {
  return {
    {"the same", [](container_case&, const std::string&) {}},
    {"revision ",
     [](container_case& it, const std::string& value) { it.want.revision = "sha256:" + value; }},
    {"image ", [](container_case& it, const std::string& value) { it.want.spec.image = value; }},
    {"stamp ", [](container_case& it, const std::string& value) { it.want.restart_stamp = value; }},
    {"secrets ",
     [](container_case& it, const std::string& value) { it.want.secret_stamp = value; }},
  };
}

} // namespace

TEST_CASE("container plan: the table in docs/reconcilers/container.md -> the planner's answers") {
  test::check_plans<container_case>(
    "container", {}, container_now(), container_wanted(),
    [](const container_case& it) { return container_reconciler<device>::plan(it.want, it.seen); },
    {{"sha256:", ""}});
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

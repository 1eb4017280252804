#include "reconcilers/container.hpp"

#include "container_fakes.hpp"
#include "support/catch.hpp"

namespace harmony {

namespace {

using test::containers::device;
using test::containers::fake_runtime;
using test::containers::killed;
using test::containers::memory_inventory;
using test::containers::saboteur;

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

constexpr auto agent = "pi-1";
constexpr auto name = "harmony-app";

desired<container_spec> want_of(const std::string& revision = "sha256:a",
                                const std::string& stamp = {}) {
  desired<container_spec> want;
  want.id = {"Container", "app"};
  want.spec.image = "localhost/app:1";
  want.revision = revision;
  want.restart_stamp = stamp;
  return want;
}

container_info info_of(const desired<container_spec>& want,
                       container_status status = container_status::running) {
  container_info info;
  info.id = "0123456789abcdef";
  info.name = name;
  info.image = want.spec.image;
  info.image_id = "sha256:img";
  info.labels = {{container_label::agent, agent},
                 {container_label::resource, want.id.str()},
                 {container_label::revision, want.revision},
                 {container_label::restart_stamp, want.restart_stamp}};
  info.status = status;
  return info;
}

container_observed seen_of(const container_info& info) {
  container_observed seen;
  seen.found = info;
  seen.ours = true;
  seen.recorded = true;
  seen.note = {info.labels.at(container_label::revision),
               info.labels.at(container_label::restart_stamp), 0, false};
  return seen;
}

struct bench {
  saboteur hand;
  fake_runtime runtime{&hand};
  memory_inventory owned{&hand};
  device topology{runtime};
  container_reconciler<device> subject{topology};

  bench() { runtime.images["localhost/app:1"] = "sha256:img"; }

  op_context ctx() { return {agent, owned, {}, std::chrono::steady_clock::time_point::max()}; }

  outcome<std::vector<change>> plan(const desired<container_spec>& want) {
    auto context = ctx();
    const auto seen = subject.observe(want, context);
    if (!seen)
      return seen.error();
    return container_reconciler<device>::plan(want, *seen);
  }

  // Observe, plan and, where there is something to do, apply.
  outcome<void> step(const desired<container_spec>& want) {
    auto context = ctx();
    const auto todo = plan(want);
    if (!todo)
      return todo.error();
    if (todo->empty())
      return {};
    return subject.apply(want, *todo, context);
  }

  container_state state(const desired<container_spec>& want) {
    auto context = ctx();
    const auto seen = subject.observe(want, context);
    REQUIRE(seen);
    return std::get<container_state>(container_reconciler<device>::report(*seen));
  }

  void converge(const desired<container_spec>& want) {
    const auto done = step(want);
    INFO((done ? std::string{} : done.error().message));
    REQUIRE(done);
    REQUIRE(plan(want)->empty());
  }
};

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

TEST_CASE("container: nothing there -> claimed, created with its labels, started") {
  bench b;
  b.converge(want_of("sha256:a", "s1"));
  CHECK(b.runtime.log == std::vector<std::string>{"create", "start"});
  const auto& info = b.runtime.all.at(name);
  CHECK(info.labels
        == std::map<std::string, std::string>{{container_label::agent, agent},
                                              {container_label::resource, "Container/app"},
                                              {container_label::revision, "sha256:a"},
                                              {container_label::restart_stamp, "s1"}});
  CHECK(b.owned.of({"Container", "app"}).size() == 1);
  CHECK(b.owned.writes == 1);
}

TEST_CASE("container: the claim fails -> nothing is created") {
  bench b;
  auto context = b.ctx();
  REQUIRE(b.owned.claim({{"Container", "other"}, name, true, {}}));
  const auto done =
    b.subject.apply(want_of(), {{action::create, "state", "absent", "running"}}, context);
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ec::name_conflict);
  CHECK(b.runtime.all.empty());
}

TEST_CASE("container: applied again unchanged -> the same container, no change, no write") {
  bench b;
  b.converge(want_of());
  const auto id = b.runtime.all.at(name).id;
  const auto writes = b.owned.writes;
  b.runtime.log.clear();
  b.converge(want_of());
  CHECK(b.runtime.log.empty());
  CHECK(b.runtime.all.at(name).id == id);
  CHECK(b.owned.writes == writes);
}

TEST_CASE("container: the agent lost its database -> the container is kept and recorded") {
  bench b;
  b.converge(want_of());
  memory_inventory empty;
  op_context fresh{agent, empty, {}};
  b.runtime.log.clear();
  const auto seen = b.subject.observe(want_of(), fresh);
  REQUIRE(seen);
  const auto todo = container_reconciler<device>::plan(want_of(), *seen);
  REQUIRE(todo);
  REQUIRE(b.subject.apply(want_of(), *todo, fresh));
  CHECK(b.runtime.log.empty());
  CHECK(empty.all().size() == 1);
}

TEST_CASE("container: pull policies -> what is fetched, and when") {
  bench b;
  auto want = want_of();
  want.spec.image = "registry/app:2";
  SECTION("IfNotPresent, not here -> pulled once") {
    b.runtime.registry[want.spec.image] = "sha256:two";
    b.converge(want);
    CHECK(b.runtime.log == std::vector<std::string>{"pull", "create", "start"});
  }
  SECTION("IfNotPresent, here -> not pulled") {
    b.runtime.images[want.spec.image] = "sha256:two";
    b.converge(want);
    CHECK(b.runtime.log == std::vector<std::string>{"create", "start"});
  }
  SECTION("Always, here -> pulled before it is created, and not for a look") {
    b.runtime.images[want.spec.image] = "sha256:old";
    b.runtime.registry[want.spec.image] = "sha256:two";
    want.spec.pull = pull_policy::always;
    b.converge(want);
    b.converge(want);
    CHECK(b.runtime.log == std::vector<std::string>{"pull", "create", "start"});
    CHECK(b.state(want).image == "sha256:two");
  }
  SECTION("Never, not here -> image_not_found with a remedy") {
    b.runtime.registry[want.spec.image] = "sha256:two";
    want.spec.pull = pull_policy::never;
    const auto done = b.step(want);
    REQUIRE_FALSE(done);
    CHECK(done.error().code == ec::image_not_found);
    CHECK(done.error().message.find("podman load") != std::string::npos);
    CHECK(b.runtime.log.empty());
  }
  SECTION("nowhere -> the registry's failure, nothing created") {
    const auto done = b.step(want);
    REQUIRE_FALSE(done);
    CHECK(done.error().code == ec::image_not_found);
    CHECK(b.runtime.all.empty());
  }
}

TEST_CASE("container: another revision -> replaced, once the image is here") {
  bench b;
  b.converge(want_of());
  const auto old_id = b.runtime.all.at(name).id;
  b.runtime.log.clear();
  auto next = want_of("sha256:b");
  next.spec.image = "registry/app:2";
  SECTION("the image cannot be had -> the old one keeps running") {
    const auto done = b.step(next);
    REQUIRE_FALSE(done);
    CHECK(done.error().code == ec::image_not_found);
    CHECK(b.runtime.all.at(name).id == old_id);
    CHECK(b.runtime.all.at(name).status == container_status::running);
  }
  SECTION("the image can be pulled -> pulled before the old one goes") {
    b.runtime.registry[next.spec.image] = "sha256:two";
    next.spec.pull = GENERATE(pull_policy::if_not_present, pull_policy::always);
    b.converge(next);
    CHECK(b.runtime.log == std::vector<std::string>{"pull", "remove", "create", "start"});
    CHECK(b.runtime.all.at(name).id != old_id);
  }
}

TEST_CASE("container: it ended -> terminated with its code, started again, counted") {
  bench b;
  const auto want = want_of();
  b.converge(want);
  const auto id = b.runtime.all.at(name).id;
  for (unsigned times = 1; times <= 3; ++times) {
    auto& info = b.runtime.all.at(name);
    info.status = container_status::exited;
    info.exit_code = 7;
    info.finished = "2026-01-01T00:00:01.000Z";
    CHECK(b.state(want).state
          == decltype(container_state::state){
            container_terminated{7, "2026-01-01T00:00:01.000Z", times - 1}});
    b.converge(want);
    CHECK(
      b.state(want).state
      == decltype(container_state::state){container_running{"2026-01-01T00:00:00.000Z", times}});
  }
  CHECK(b.runtime.all.at(name).id == id);

  // Another revision counts from zero.
  b.converge(want_of("sha256:b"));
  CHECK(std::get<container_running>(b.state(want_of("sha256:b")).state).restarts == 0);
}

TEST_CASE("container: a new stamp -> stopped and started once, not counted") {
  bench b;
  b.converge(want_of("sha256:a", "s1"));
  const auto id = b.runtime.all.at(name).id;
  b.runtime.log.clear();
  const auto next = want_of("sha256:a", "s2");
  b.converge(next);
  b.converge(next);
  CHECK(b.runtime.log == std::vector<std::string>{"stop", "start"});
  CHECK(b.runtime.all.at(name).id == id);
  CHECK(std::get<container_running>(b.state(next).state).restarts == 0);
}

TEST_CASE("container: the supervisor asks for a restart -> the running one is restarted, counted") {
  bench b;
  const auto want = want_of();
  b.converge(want);
  b.runtime.log.clear();
  auto context = b.ctx();
  REQUIRE(b.subject.apply(want, {{action::restart, "liveness", "dead", "alive"}}, context));
  CHECK(b.runtime.log == std::vector<std::string>{"stop", "start"});
  CHECK(std::get<container_running>(b.state(want).state).restarts == 1);
}

TEST_CASE("container: an old plan to start, and it runs by now -> left running") {
  bench b;
  const auto want = want_of();
  b.converge(want);
  b.runtime.log.clear();
  auto context = b.ctx();
  REQUIRE(
    b.subject.apply(want, {{action::restart, "state", "exited with code 1", "running"}}, context));
  CHECK(b.runtime.log.empty());
}

TEST_CASE("container: paused by hand -> thawed") {
  bench b;
  b.converge(want_of());
  b.runtime.all.at(name).status = container_status::paused;
  b.runtime.log.clear();
  b.converge(want_of());
  CHECK(b.runtime.log == std::vector<std::string>{"resume"});
}

TEST_CASE("container: the port is taken -> port_in_use; free again -> the same container starts") {
  bench b;
  auto want = want_of();
  want.spec.ports = {{8080, 80, transport_protocol::tcp, {}}};
  b.runtime.taken_ports = {8080};
  for (int i = 0; i < 3; ++i) {
    const auto done = b.step(want);
    REQUIRE_FALSE(done);
    CHECK(done.error().code == ec::port_in_use);
    CHECK(done.error().message.find("'harmony-app'") != std::string::npos);
  }
  CHECK(b.runtime.log == std::vector<std::string>{"create"});
  b.runtime.taken_ports.clear();
  b.converge(want);
  CHECK(b.runtime.log == std::vector<std::string>{"create", "start"});
  CHECK(std::get<container_running>(b.state(want).state).restarts == 0);
}

TEST_CASE("container: a foreign container has the name -> left alone by all operations") {
  bench b;
  const auto want = want_of();
  auto foreign = info_of(want);
  foreign.labels = {{"app", "theirs"}};
  b.runtime.all[name] = foreign;
  const auto done = b.step(want);
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ec::name_conflict);
  auto context = b.ctx();
  for (const auto what : {action::create, action::replace, action::restart}) {
    const auto forced = b.subject.apply(want, {{what, "state", {}, {}}}, context);
    REQUIRE_FALSE(forced);
    CHECK(forced.error().code == ec::name_conflict);
  }
  REQUIRE(b.subject.remove({want.id, name, true, {}}, context));
  CHECK(b.runtime.all.at(name) == foreign);
  CHECK(b.runtime.log.empty());
  CHECK(b.owned.all().empty());
}

TEST_CASE("container: removed -> gone and forgotten; again -> success") {
  bench b;
  b.converge(want_of());
  const auto owned = b.owned.all().front();
  auto context = b.ctx();
  for (int i = 0; i < 2; ++i) {
    REQUIRE(b.subject.remove(owned, context));
    CHECK(b.runtime.all.empty());
    CHECK(b.owned.all().empty());
  }
}

TEST_CASE("container: the work is canceled -> canceled, before anything is started") {
  bench b;
  std::stop_source stop;
  stop.request_stop();
  op_context context{agent, b.owned, stop.get_token()};
  const auto done =
    b.subject.apply(want_of(), {{action::create, "state", "absent", "running"}}, context);
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ec::canceled);
  CHECK(b.runtime.log == std::vector<std::string>{"create"});
}

TEST_CASE("container: struck at every step, then repeated -> one container as desired") {
  using kind = saboteur::kind;
  const auto what =
    GENERATE(kind::fail_before, kind::fail_after, kind::kill_before, kind::kill_after);
  enum class story { create, replace, restart, stamp, remove };
  const auto which =
    GENERATE(story::create, story::replace, story::restart, story::stamp, story::remove);
  int steps = 0;
  for (int at = 0;; ++at) {
    INFO("struck at call " << at);
    bench b;
    auto want = want_of();
    want.spec.image = "registry/app:1";
    b.runtime.registry = {{"registry/app:1", "sha256:1"}, {"registry/app:2", "sha256:2"}};
    if (which != story::create)
      b.converge(want);
    if (which == story::replace) {
      want.revision = "sha256:b";
      want.spec.image = "registry/app:2";
    }
    if (which == story::restart)
      b.runtime.all.at(name).status = container_status::exited;
    if (which == story::stamp)
      want.restart_stamp = "s2";
    const auto removing = which == story::remove;
    const owned_target owned{want.id, name, true, {}};
    const auto once = [&]() -> outcome<void> {
      auto context = b.ctx();
      return removing ? b.subject.remove(owned, context) : b.step(want);
    };
    b.runtime.log.clear();
    b.hand = {what, at, 0};
    try {
      static_cast<void>(once());
    } catch (const killed&) {
    }
    const bool reached = b.hand.calls > at;
    b.hand = {};
    // What a crash leaves is never a container without a claim.
    if (!b.runtime.all.empty())
      CHECK(b.owned.all().size() == 1);
    for (int i = 0; i < 3; ++i)
      REQUIRE(once());
    if (removing) {
      CHECK(b.runtime.all.empty());
      CHECK(b.owned.all().empty());
    } else {
      REQUIRE(b.plan(want)->empty());
      REQUIRE(b.runtime.all.size() == 1);
      CHECK(b.runtime.all.at(name).image == want.spec.image);
      CHECK(b.runtime.all.at(name).labels.at(container_label::revision) == want.revision);
      CHECK(b.owned.all().size() == 1);
    }
    if (which == story::stamp)
      CHECK(std::count(b.runtime.log.begin(), b.runtime.log.end(), "start") >= 1);
    if (!reached)
      break;
    ++steps;
  }
  CHECK(steps >= 3);
}

TEST_CASE("container: a full disk and a new stamp -> no restart at all until it can be recorded") {
  bench b;
  b.converge(want_of("sha256:a", "s1"));
  const auto next = want_of("sha256:a", "s2");
  b.runtime.log.clear();
  // Calls of one step: inspect (observe), inspect (apply), claim.
  b.hand = {saboteur::kind::fail_before, 2, 0};
  const auto done = b.step(next);
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ec::disk_full);
  CHECK(b.runtime.log.empty());
}

TEST_CASE("container note: written -> read back; rubbish -> an empty note") {
  const container_note note{"sha256:a", "stamp \"1\"", 12, true};
  CHECK(read_note(write_note(note)) == note);
  for (const auto* text : {"", "{", "[]", "7", R"({"restarts":-1,"revision":4})"})
    CHECK(read_note(text) == container_note{});
}

} // namespace harmony

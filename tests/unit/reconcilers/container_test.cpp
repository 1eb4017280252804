#include "reconcilers/container.hpp"

#include "container_bench.hpp"

namespace harmony {

using namespace test::containers;

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

TEST_CASE("container: started, and ended at once -> ContainerExited with its code and last words") {
  bench b;
  const auto want = want_of();
  auto context = b.ctx();
  CHECK_FALSE(b.subject.why_ended(want, context)); // not there: nothing that ended
  b.converge(want);
  CHECK_FALSE(b.subject.why_ended(want, context));
  auto& info = b.runtime.all.at(name);
  info.status = container_status::exited;
  info.exit_code = 3;
  b.runtime.words = "no config";
  const auto why = b.subject.why_ended(want, context);
  REQUIRE(why);
  CHECK(why->code == ec::container_exited);
  CHECK(why->message
        == "container 'harmony-app' was started and exited with code 3, last output: 'no config'");
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
  REQUIRE(b.subject.apply(want, {{action::restart, "restart", "", ""}}, context));
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

} // namespace harmony

#pragma once

// What the tests of the container reconciler share.

#include "container_fakes.hpp"
#include "reconcilers/container.hpp"
#include "support/catch.hpp"

namespace harmony::test::containers {

inline constexpr auto agent = "pi-1";
inline constexpr auto name = "harmony-app";

inline desired<container_spec> want_of(const std::string& revision = "sha256:a",
                                       const std::string& stamp = {}) {
  desired<container_spec> want;
  want.id = {"Container", "app"};
  want.spec.image = "localhost/app:1";
  want.revision = revision;
  want.restart_stamp = stamp;
  return want;
}

inline container_info info_of(const desired<container_spec>& want,
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

inline container_observed seen_of(const container_info& info) {
  container_observed seen;
  seen.found = info;
  seen.ours = true;
  seen.recorded = true;
  seen.note = {info.labels.at(container_label::revision),
               info.labels.at(container_label::restart_stamp), 0, false};
  return seen;
}

/// A reconciler on a runtime and an inventory in memory, both in the hands of one saboteur.
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

} // namespace harmony::test::containers

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reconcilers/file.hpp"
#include "support/catch.hpp"
#include "support/outcomes.hpp"
#include "unit/reconcilers/file_world.hpp"

namespace harmony::test {

/// One resource `File/motd` on a real file system.
struct file_fixture {
  file_world world;
  plain_inventory owned;
  posix_device device;
  file_reconciler<posix_device> files{device};
  std::stop_source stop;
  op_context ctx{"pi-0042", owned, stop.get_token()};
  desired<file_spec> want{{"File", "motd"}, {}, {}, {}};

  file_fixture() {
    want.spec.path = world / "motd";
    want.spec.content = "hello\n";
  }

  outcome<std::vector<change>> plan() {
    auto seen = files.observe(want, ctx);
    if (!seen)
      return seen.error();
    return files.plan(want, *seen);
  }

  /// Observe, plan, apply, as a supervisor does.
  outcome<void> converge() {
    auto todo = plan();
    if (!todo)
      return todo.error();
    return todo->empty() ? outcome<void>{} : files.apply(want, *todo, ctx);
  }

  [[nodiscard]] std::optional<owned_target> record() const {
    return owned.find(want.id, want.spec.path);
  }

  outcome<void> remove() {
    return files.remove(record().value_or(owned_target{want.id, want.spec.path}), ctx);
  }
};

inline void check_converged(file_fixture& f) {
  const auto todo = f.plan();
  INFO((todo ? "" : todo.error().message));
  REQUIRE(todo.ok());
  CHECK(todo->empty());
}

} // namespace harmony::test

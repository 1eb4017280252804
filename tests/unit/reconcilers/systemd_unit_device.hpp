#pragma once

// A device whose service manager is the fake one.

#include <filesystem>
#include <string>
#include <vector>

#include "reconcilers/systemd_unit.hpp"
#include "support/catch.hpp"
#include "support/memory_inventory.hpp"
#include "systemd_unit_fake.hpp"

namespace harmony::test {

using calls = std::vector<std::string>;
using want_t = desired<systemd_unit_spec>;

inline const std::string service = "[Service]\nExecStart=/bin/web\n";
inline const std::string install = "[Install]\nWantedBy=multi-user.target\n";
inline const std::string web = "web.service";

struct unit_device {
  unit_device() {
    inventory.before = [this](const char* what) {
      manager.before(what);
      manager.calls.emplace_back(what);
      return outcome<void>{};
    };
    inventory.after = [this](const char* what) { manager.after(what); };
  }

  op_context context() { return {"dev", inventory, {}}; }

  outcome<void> converge(const want_t& want) {
    auto ctx = context();
    const auto seen = systemd_unit::observe(manager, want, ctx);
    REQUIRE(seen.ok());
    const auto todo = systemd_unit::plan(want, *seen);
    if (!todo)
      return todo.error();
    if (todo->empty())
      return {};
    if (auto done = systemd_unit::apply(manager, want, *todo, ctx); !done)
      return done;
    if (const auto why =
          converged(want) ? std::nullopt : systemd_unit::why_ended(manager, want, ctx))
      return *why;
    return {};
  }

  bool converged(const want_t& want) {
    auto ctx = context();
    const auto seen = systemd_unit::observe(manager, want, ctx);
    const auto todo = systemd_unit::plan(want, *seen);
    return todo.ok() && todo->empty();
  }

  outcome<void> remove(const want_t& want) {
    auto ctx = context();
    const auto record = inventory.find(want.id, want.spec.unit);
    return record ? systemd_unit::remove(manager, *record, ctx) : outcome<void>{};
  }

  calls take_calls() { return std::exchange(manager.calls, {}); }

  fake_systemd manager;
  memory_inventory inventory;
};

inline want_t want_of(std::string content) {
  return {{"SystemdUnit", "web"}, {web, std::move(content), {}, unit_state::active}, {}, {}};
}

inline want_t enabled(want_t w) {
  w.spec.enabled = true;
  return w;
}

inline std::string text_of(const want_t& w) {
  return unit_marker("dev", w.id) + *w.spec.content;
}

inline void put_unit(unit_device& d, const std::string& content) {
  write_file(d.manager.folder.path() / web, content);
}

} // namespace harmony::test

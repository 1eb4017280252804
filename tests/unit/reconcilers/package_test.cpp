#include "reconcilers/package.hpp"

#include <string>
#include <vector>

#include "reconcilers/driver.hpp"
#include "support/catch.hpp"
#include "support/memory_inventory.hpp"
#include "support/outcomes.hpp"
#include "unit/reconcilers/killed.hpp"
#include "unit/reconcilers/package_fake.hpp"
#include "unit/reconcilers/plan_table.hpp"

namespace harmony::test {
namespace {

using standing = package_condition;

struct fake_device {
  fake_packages manager;
  package_manager& packages() { return manager; }
};
struct device_without_packages {};

template <class T>
concept can_manage_packages = requires {
  typename package_reconciler<T>;
};

static_assert(can_manage_packages<fake_device>);
static_assert(!can_manage_packages<device_without_packages>);
static_assert(reconciler<package_reconciler<fake_device>>);

struct fixture {
  fake_device device;
  memory_inventory owned;
  package_reconciler<fake_device> packages{device};
  op_context ctx{"dev", owned, {}};
  desired<package_spec> want{{"Package", "web"}, {"web", package_state::present, {}}, {}, {}};

  fixture() { device.manager.lists = device.manager.world = {{"web", {"1.0", "1.1"}}}; }

  fake_packages& manager() { return device.manager; }

  outcome<void> converge() {
    const auto seen = packages.observe(want, ctx);
    REQUIRE(seen.ok());
    const auto todo = packages.plan(want, *seen);
    REQUIRE(todo.ok());
    return todo->empty() ? outcome<void>{} : packages.apply(want, *todo, ctx);
  }
  outcome<void> leave() {
    for (const auto& t : owned.of(want.id))
      if (auto done = packages.remove(t, ctx); !done)
        return done;
    return {};
  }
  std::string version() {
    const auto seen = packages.observe(want, ctx);
    return std::get<package_status>(packages.report(*seen)).version;
  }
  std::optional<owned_target> record() { return owned.find(want.id, want.spec.package); }
};

TEST_CASE("package plan: the table in docs/reconcilers/package.md -> the planner's answers") {
  struct package_case {
    desired<package_spec> want{{"Package", "web"}, {"web", package_state::present, {}}, {}, {}};
    package_info seen{standing::installed, "1.0", "installed", false};
  };
  const auto is = [](standing condition, const char* version, const char* status) {
    return [=](package_case& it, const std::string&) {
      it.seen = {condition, version, status, false};
    };
  };
  const vocabulary<package_case> now{
    {"in place", [](package_case&, const std::string&) {}},
    {"nothing", [](package_case& it, const std::string&) { it.seen = {}; }},
    {"configuration alone", is(standing::absent, "", "config-files")},
    {"half-configured", is(standing::unconfigured, "1.0", "half-configured")},
    {"half-installed", is(standing::broken, "1.0", "half-installed")},
    {"version ", [](package_case& it, const std::string& value) { it.seen.version = value; }},
    {"apt was cut off", [](package_case& it, const std::string&) { it.seen.interrupted = true; }},
  };
  const vocabulary<package_case> wanted{
    {"the same", [](package_case&, const std::string&) {}},
    {"absent",
     [](package_case& it, const std::string&) { it.want.spec.state = package_state::absent; }},
    {"version ", [](package_case& it, const std::string& value) { it.want.spec.version = value; }},
  };
  fixture f;
  check_plans<package_case>("package", {}, now, wanted, [&](const package_case& it) {
    return f.packages.plan(it.want, it.seen);
  });
}

TEST_CASE("package: absent -> the newest is installed, claimed before, removed on leaving") {
  fixture f;
  bool claimed_first = false;
  f.manager().before = [&](const std::string& step) {
    if (step == "unpack")
      claimed_first = f.record() == owned_target{f.want.id, "web", true, {}};
  };
  check_ok(f.converge());
  CHECK(claimed_first);
  CHECK(f.version() == "1.1");
  check_ok(f.converge());
  CHECK(f.manager().calls == std::vector<std::string>{"install web"});
  check_ok(f.leave());
  CHECK(f.version().empty());
  CHECK(f.owned.all().empty());
}

TEST_CASE("package: there already -> any version is fine, not claimed, stays on leaving") {
  fixture f;
  f.manager().put("web", standing::installed, "0.9", "installed");
  check_ok(f.converge());
  CHECK(f.manager().calls.empty());
  CHECK(f.owned.all().empty());
  SECTION("also when its version was changed") {
    f.want.spec.version = "1.0";
    check_ok(f.converge());
    CHECK(f.record() == owned_target{f.want.id, "web", false, {}});
    CHECK(f.version() == "1.0");
    check_ok(f.leave());
    CHECK(f.version() == "1.0");
    CHECK(f.owned.all().empty());
  }
  SECTION("also when it was repaired") {
    f.manager().put("web", standing::unconfigured, "0.9", "half-configured");
    check_ok(f.converge());
    CHECK(f.version() == "0.9");
    check_ok(f.leave());
    CHECK(f.version() == "0.9");
  }
}

TEST_CASE("package: bad wishes -> each its own reason, nothing claimed") {
  fixture f;
  SECTION("no such package") {
    f.want.spec.package = "nosuch";
    check_failure(f.converge(), ec::package_not_found, "no package 'nosuch'");
    CHECK(f.manager().calls
          == std::vector<std::string>{"install nosuch", "refresh", "install nosuch"});
  }
  SECTION("no such version") {
    f.want.spec.version = "9";
    check_failure(f.converge(), ec::package_not_found, "no version '9'");
  }
  SECTION("no such package, and no lists either") {
    f.want.spec.package = "nosuch";
    f.manager().no_refresh = failure{ec::download_failed, "no network"};
    check_failure(f.converge(), ec::package_not_found, "the lists may be old: no network");
  }
  SECTION("no time left") {
    f.ctx.deadline = std::chrono::steady_clock::now() - std::chrono::seconds{1};
    check_failure(f.converge(), ec::timed_out, "");
  }
  SECTION("another resource owns it") {
    REQUIRE(f.owned.claim({{"Package", "other"}, "web"}).ok());
    check_failure(f.converge(), ec::name_conflict, "Package/other");
    CHECK(f.manager().calls.empty());
  }
  CHECK(f.owned.of(f.want.id).empty());
}

TEST_CASE("package: lists are old -> read anew once, then installed") {
  fixture f;
  f.manager().lists.clear();
  check_ok(f.converge());
  CHECK(f.manager().calls == std::vector<std::string>{"install web", "refresh", "install web"});
}

TEST_CASE("package: its script fails -> package_failed, kept and claimed, tried again") {
  fixture f;
  f.manager().broken_scripts = {"web"};
  check_failure(f.converge(), ec::package_failed, "script of 'web'");
  CHECK(f.record().has_value());
  check_failure(f.converge(), ec::package_failed, "script of 'web'");
  f.manager().broken_scripts.clear();
  check_ok(f.converge());
  CHECK(f.version() == "1.1");
}

TEST_CASE("package: another package's script fails -> none of ours, converged") {
  fixture f;
  f.manager().put("mail", standing::unconfigured, "1", "half-configured");
  f.manager().broken_scripts = {"mail"};
  check_ok(f.converge());
  CHECK(f.version() == "1.1");
}

TEST_CASE("package: unconfigured and in no repository -> the reason of its script") {
  fixture f;
  f.manager().lists.clear();
  f.manager().world.clear();
  f.manager().put("web", standing::unconfigured, "1.0", "half-configured");
  f.manager().broken_scripts = {"web"};
  check_failure(f.converge(), ec::package_failed, "script of 'web'");
}

TEST_CASE("package absent: removed whoever installed it, and its claim with it") {
  fixture f;
  const bool ours = GENERATE(false, true);
  if (ours)
    check_ok(f.converge());
  else
    f.manager().put("web", standing::installed, "1.0", "installed");
  f.want.spec.state = package_state::absent;
  SECTION("removed") {
    check_ok(f.converge());
    CHECK(f.version().empty());
    CHECK(f.owned.all().empty());
  }
  SECTION("needed by another -> package_failed, stays") {
    f.manager().needed_by = {{"web", "shop"}};
    check_failure(f.converge(), ec::package_failed, "'shop' depends on it");
    CHECK_FALSE(f.version().empty());
  }
}

TEST_CASE("package: leaves while another needs it -> package_failed, still owned, later removed") {
  fixture f;
  check_ok(f.converge());
  f.manager().needed_by = {{"web", "shop"}};
  check_failure(f.leave(), ec::package_failed, "'shop' depends on it");
  CHECK(f.record().has_value());
  f.manager().needed_by.clear();
  check_ok(f.leave());
  CHECK(f.version().empty());
  CHECK(f.owned.all().empty());
}

TEST_CASE("package: gone already when it leaves -> forgotten") {
  fixture f;
  check_ok(f.converge());
  f.manager().installed.clear();
  f.manager().calls.clear();
  check_ok(f.leave());
  CHECK(f.manager().calls.empty());
  CHECK(f.owned.all().empty());
}

TEST_CASE("package killed: at any step of installing -> finished by the next agent, and owned") {
  int n = 1;
  for (bool dead = true; dead; ++n) {
    INFO("killed at step " << n);
    fixture f;
    dead = killed_at(f, n, [&] { return f.converge(); });
    if (!f.manager().installed.empty())
      CHECK(f.record()->created);
    check_ok(f.converge());
    CHECK(f.version() == "1.1");
    check_ok(f.leave());
    CHECK(f.version().empty());
  }
  CHECK(n >= 5);
}

TEST_CASE("package killed: at any step of installing, then not desired -> all of it goes") {
  bool dead = true;
  for (int n = 1; dead; ++n) {
    INFO("killed at step " << n);
    fixture f;
    dead = killed_at(f, n, [&] { return f.converge(); });
    check_ok(f.leave());
    CHECK(f.manager().installed.empty());
    CHECK(f.owned.all().empty());
  }
}

TEST_CASE("package killed: at any step of a foreign one's upgrade -> finished; never removed") {
  bool dead = true;
  for (int n = 1; dead; ++n) {
    INFO("killed at step " << n);
    fixture f;
    f.manager().put("web", standing::installed, "0.9", "installed");
    f.want.spec.version = "1.1";
    dead = killed_at(f, n, [&] { return f.converge(); });
    check_ok(f.converge());
    CHECK(f.version() == "1.1");
    check_ok(f.leave());
    CHECK(f.version() == "1.1");
  }
}

TEST_CASE("package killed: at any step of removing -> removed by the next agent") {
  bool dead = true;
  for (int n = 1; dead; ++n) {
    INFO("killed at step " << n);
    fixture f;
    check_ok(f.converge());
    dead = killed_at(f, n, [&] { return f.leave(); });
    check_ok(f.leave());
    CHECK(f.manager().installed.empty());
    CHECK(f.owned.all().empty());
  }
}

} // namespace
} // namespace harmony::test

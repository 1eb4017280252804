#include "reconcilers/user.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "reconcilers/driver.hpp"
#include "support/catch.hpp"
#include "support/memory_inventory.hpp"
#include "support/outcomes.hpp"
#include "unit/reconcilers/killed.hpp"

namespace harmony::test {
namespace {

/// Accounts in memory. Like useradd, it can be cut off between the account and its memberships.
class fake_accounts final : public account_manager {
public:
  std::map<std::string, account_info> users;
  std::set<std::string> groups{"users", "dialout", "docker"};
  std::set<std::string> busy; ///< accounts with processes
  std::function<void(const std::string&)> before = [](const std::string&) {};
  std::vector<std::string> calls;

  outcome<account_info> look(const std::string& user) override {
    const auto it = users.find(user);
    return it == users.end() ? account_info{} : it->second;
  }
  outcome<std::string> holder(std::uint32_t uid) override {
    for (const auto& [name, info] : users)
      if (info.uid == uid)
        return name;
    return std::string{};
  }
  outcome<bool> has_group(const std::string& group) override { return groups.count(group) != 0; }
  outcome<void> create_group(const std::string& group, bool /*system*/,
                             const op_limits& /*limits*/) override {
    step("groupadd " + group);
    groups.insert(group);
    return {};
  }
  outcome<void> remove_group(const std::string& group, const op_limits& /*limits*/) override {
    step("groupdel " + group);
    groups.erase(group);
    return {};
  }
  outcome<void> create(const new_account& a, const op_limits& limits) override {
    step("useradd " + a.user);
    if (auto go_on = limits.check("creating"); !go_on)
      return go_on;
    CHECK(groups.count(a.group) == 1);
    users[a.user] = {true,
                     a.uid.value_or(1000 + static_cast<std::uint32_t>(users.size())),
                     a.group,
                     a.home.value_or("/home/" + a.user),
                     a.shell.value_or("/bin/sh"),
                     a.comment,
                     {}};
    step("memberships of " + a.user);
    users[a.user].groups = a.groups;
    return {};
  }
  outcome<void> change(const std::string& user, const account_change& what,
                       const op_limits& /*limits*/) override {
    step("usermod " + user);
    auto& u = users[user];
    u.uid = what.uid.value_or(u.uid);
    u.group = what.group.empty() ? u.group : what.group;
    u.home = what.home.value_or(u.home);
    u.shell = what.shell.value_or(u.shell);
    u.comment = what.comment.empty() ? u.comment : what.comment;
    u.groups.insert(u.groups.end(), what.add_groups.begin(), what.add_groups.end());
    return {};
  }
  outcome<void> remove(const std::string& user, const op_limits& /*limits*/) override {
    step("userdel " + user);
    if (busy.count(user) != 0)
      return {ec::account_failed, "user " + user + " is currently used by process 1"};
    users.erase(user);
    return {};
  }

private:
  void step(const std::string& what) {
    before(what);
    calls.push_back(what);
  }
};

struct fake_device {
  fake_accounts manager;
  account_manager& accounts() { return manager; }
};
struct device_without_accounts {};

template <class T>
concept can_manage_users = requires {
  typename user_reconciler<T>;
};

static_assert(can_manage_users<fake_device>);
static_assert(!can_manage_users<device_without_accounts>);
static_assert(reconciler<user_reconciler<fake_device>>);

using strings = std::vector<std::string>;

struct fixture {
  fake_device device;
  memory_inventory owned;
  user_reconciler<fake_device> users{device};
  op_context ctx{"dev", owned, {}};
  desired<user_spec> want{{"User", "web"}, {}, {}, {}};

  fixture() { spec().user = "web"; }

  user_spec& spec() { return want.spec; }
  fake_accounts& manager() { return device.manager; }
  account_info& web() { return manager().users.at("web"); }
  std::optional<owned_target> record() { return owned.find(want.id, "web"); }

  outcome<std::vector<change>> plan() {
    auto seen = users.observe(want, ctx);
    REQUIRE(seen.ok());
    return users.plan(want, *seen);
  }
  outcome<void> converge() {
    const auto todo = plan();
    if (!todo)
      return todo.error();
    return todo->empty() ? outcome<void>{} : users.apply(want, *todo, ctx);
  }
  outcome<void> leave() {
    for (const auto& t : owned.of(want.id))
      if (auto done = users.remove(t, ctx); !done)
        return done;
    return {};
  }
};

TEST_CASE("user: absent -> made with its group, claimed before, both removed on leaving") {
  fixture f;
  f.spec().groups = {"docker"};
  bool claimed_first = false;
  f.manager().before = [&](const std::string& step) {
    if (step == "groupadd web")
      claimed_first = f.record() == owned_target{f.want.id, "web", true, "group"};
  };
  check_ok(f.converge());
  CHECK(claimed_first);
  CHECK(f.web() == account_info{true, 1000, "web", "/home/web", "/bin/sh", "", {"docker"}});
  const auto seen = f.users.observe(f.want, f.ctx);
  CHECK(std::get<user_state>(f.users.report(*seen)) == user_state{true, 1000, {"docker"}});
  check_ok(f.leave());
  CHECK(f.manager().users.empty());
  CHECK(f.manager().groups.count("web") == 0);
  CHECK(f.owned.all().empty());
}

TEST_CASE("user: with a group named -> that is used and stays") {
  fixture f;
  f.spec().group = "users";
  check_ok(f.converge());
  CHECK(f.web().group == "users");
  CHECK(f.record() == owned_target{f.want.id, "web", true, {}});
  check_ok(f.leave());
  CHECK(f.manager().groups.count("users") == 1);
}

TEST_CASE("user: bad wishes -> each its own reason, nothing made or claimed") {
  fixture f;
  f.manager().users["pi"] = {true, 1000, "users", "/home/pi", "/bin/sh", "", {}};
  SECTION("a primary group that does not exist") {
    f.spec().group = "nosuch";
    check_failure(f.converge(), ec::no_such_user, "group 'nosuch' does not exist");
  }
  SECTION("another group that does not exist") {
    f.spec().groups = {"docker", "nosuch"};
    check_failure(f.converge(), ec::no_such_user, "group 'nosuch' does not exist");
  }
  SECTION("a number that is taken") {
    f.spec().uid = 1000;
    check_failure(f.converge(), ec::account_failed, "taken by account 'pi'");
  }
  SECTION("a group of its name that is somebody's") {
    f.manager().groups.insert("web");
    check_failure(f.converge(), ec::name_conflict, "set group: web to use it");
    CHECK(f.manager().groups.count("web") == 1);
  }
  SECTION("no time left") {
    f.ctx.deadline = std::chrono::steady_clock::now() - std::chrono::seconds{1};
    check_failure(f.converge(), ec::timed_out, "");
  }
  CHECK(f.manager().users.size() == 1);
  CHECK(f.owned.all().empty());
}

TEST_CASE("user: useradd fails -> the group goes again, the claim is given back") {
  fixture f;
  f.ctx.deadline = std::chrono::steady_clock::time_point::max();
  std::stop_source stop;
  f.ctx.cancel = stop.get_token();
  f.manager().before = [&](const std::string& step) {
    if (step == "useradd web")
      stop.request_stop();
  };
  check_failure(f.converge(), ec::canceled, "");
  CHECK(f.manager().users.empty());
  CHECK(f.manager().groups.count("web") == 0);
  CHECK(f.owned.all().empty());
}

TEST_CASE("user: somebody else's account -> NameConflict; adopted on wish, stays on leaving") {
  fixture f;
  f.manager().users["web"] = {true, 33, "users", "/var/www", "/bin/sh", "", {"dialout"}};
  check_failure(f.converge(), ec::name_conflict, "set adopt: true");
  f.spec().adopt = true;
  SECTION("equal -> not claimed") {
    check_ok(f.converge());
    CHECK(f.owned.all().empty());
  }
  SECTION("different -> changed, its group and memberships left") {
    f.spec().shell = "/bin/bash";
    f.spec().groups = {"docker"};
    check_ok(f.converge());
    CHECK(f.record() == owned_target{f.want.id, "web", false, {}});
    CHECK(f.web()
          == account_info{true, 33, "users", "/var/www", "/bin/bash", "", {"dialout", "docker"}});
    CHECK(f.manager().groups.count("web") == 0);
    check_ok(f.leave());
    CHECK(f.manager().users.count("web") == 1);
    CHECK(f.owned.all().empty());
  }
  SECTION("another number -> NameConflict") {
    f.spec().uid = 1234;
    check_failure(f.converge(), ec::name_conflict, "has uid 33 and not 1234");
    CHECK(f.web().uid == 33);
  }
}

TEST_CASE("user: drift in any field -> healed; memberships beyond the declared are left") {
  fixture f;
  f.spec().uid = 1234;
  f.spec().groups = {"docker"};
  f.spec().home = "/srv/web";
  f.spec().shell = "/bin/bash";
  f.spec().comment = "Web";
  check_ok(f.converge());
  f.web() = {true, 1, "users", "/", "/bin/false", "x", {"dialout"}};
  check_ok(f.converge());
  CHECK(f.web()
        == account_info{true, 1234, "web", "/srv/web", "/bin/bash", "Web", {"dialout", "docker"}});
  f.manager().users.clear();
  check_ok(f.converge());
  CHECK(f.web().uid == 1234);
}

TEST_CASE("user: has processes when it leaves -> account_failed, still owned, later removed") {
  fixture f;
  check_ok(f.converge());
  f.manager().busy = {"web"};
  check_failure(f.leave(), ec::account_failed, "used by process");
  CHECK(f.record().has_value());
  f.manager().busy.clear();
  check_ok(f.leave());
  CHECK(f.owned.all().empty());
}

TEST_CASE("user killed: at any step of making -> finished, or taken away, by the next agent") {
  const bool still_wanted = GENERATE(true, false);
  int n = 1;
  for (bool dead = true; dead; ++n) {
    INFO("killed at step " << n);
    fixture f;
    f.spec().groups = {"docker"};
    dead = killed_at(f, n, [&] { return f.converge(); });
    if (still_wanted) {
      check_ok(f.converge());
      CHECK(f.web().group == "web");
      CHECK(f.web().groups == strings{"docker"});
    }
    check_ok(f.leave());
    CHECK(f.manager().users.empty());
    CHECK(f.manager().groups.count("web") == 0);
    CHECK(f.owned.all().empty());
  }
  CHECK(n >= 6);
}

TEST_CASE("user killed: at any step of removing -> removed by the next agent") {
  bool dead = true;
  for (int n = 1; dead; ++n) {
    INFO("killed at step " << n);
    fixture f;
    check_ok(f.converge());
    dead = killed_at(f, n, [&] { return f.leave(); });
    check_ok(f.leave());
    CHECK(f.manager().users.empty());
    CHECK(f.manager().groups.count("web") == 0);
    CHECK(f.owned.all().empty());
  }
}

} // namespace
} // namespace harmony::test

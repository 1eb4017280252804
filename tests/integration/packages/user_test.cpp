// Accounts against the real useradd, usermod and userdel.

#include <csignal>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "integration/packages/package_bed.hpp"
#include "reconcilers/user.hpp"
#include "support/outcomes.hpp"
#include "support/temp_dir.hpp"
#include "topology/database_monitor.hpp"
#include "topology/shadow_accounts.hpp"

namespace harmony::test {
namespace {

using Catch::Matchers::Contains;
using strings = std::vector<std::string>;

struct account_device {
  account_manager& accounts() { return manager; }
  shadow_accounts manager;
};

/// A resource's view of the device; accounts of this test's are taken away before and after.
class user_bed {
public:
  user_bed() {
    require_device();
    clean();
    must("groupadd hu-lab; groupadd hu-radio");
  }
  ~user_bed() { clean(); }
  user_bed(const user_bed&) = delete;
  user_bed& operator=(const user_bed&) = delete;

  outcome<void> converge() {
    auto ctx = context();
    const auto seen = users.observe(want, ctx);
    if (!seen)
      return seen.error();
    const auto todo = users.plan(want, *seen);
    if (!todo)
      return todo.error();
    return todo->empty() ? outcome<void>{} : users.apply(want, *todo, ctx);
  }
  void must_converge() {
    auto done = converge();
    INFO((done ? "" : done.error().message));
    REQUIRE(done.ok());
    auto ctx = context();
    CHECK(users.plan(want, *users.observe(want, ctx))->empty());
  }
  outcome<void> leave() {
    auto ctx = context();
    for (const auto& t : owned.of(want.id))
      if (auto done = users.remove(t, ctx); !done)
        return done;
    return {};
  }
  account_info look() { return *device.manager.look(want.spec.user); }

  memory_inventory owned;
  account_device device;
  user_reconciler<account_device> users{device};
  desired<user_spec> want = [] {
    desired<user_spec> w{{"User", "web"}, {}, {}, {}};
    w.spec.user = "hu-web";
    return w;
  }();

private:
  op_context context() { return {"dev", owned, {}, clock::now() + seconds{60}}; }
  static void clean() {
    int ignored = 0;
    shell("for u in hu-web hu-other; do userdel $u; groupdel $u; rm -rf /home/$u; done; "
          "groupdel hu-lab; groupdel hu-radio",
          &ignored);
  }
};

TEST_CASE("accounts: absent -> made locked with home and group; on leaving both go, home stays") {
  user_bed bed;
  bed.want.spec.groups = {"hu-lab"};
  bed.must_converge();
  const auto made = bed.look();
  CHECK(made.uid >= 1000);
  CHECK(made.group == "hu-web");
  CHECK(made.groups == strings{"hu-lab"});
  CHECK(made.home == "/home/hu-web");
  CHECK_THAT(must("getent shadow hu-web"), Contains("hu-web:!:"));
  struct ::stat home {};
  REQUIRE(::stat("/home/hu-web", &home) == 0);
  CHECK(home.st_uid == made.uid);
  REQUIRE(bed.leave().ok());
  CHECK_FALSE(bed.look().present);
  CHECK_FALSE(*bed.device.manager.has_group("hu-web"));
  CHECK(std::filesystem::exists("/home/hu-web"));
  CHECK(bed.owned.all().empty());
}

TEST_CASE("accounts: every field declared -> made so; every field changed by hand -> healed") {
  user_bed bed;
  bed.want.spec = {"hu-web",         4321, "hu-lab", {"hu-radio"}, "/srv/hu-web", "/bin/bash",
                   "Web, of a test", true, false};
  bed.must_converge();
  const account_info whole{
    true, 4321, "hu-lab", "/srv/hu-web", "/bin/bash", "Web, of a test", {"hu-radio"}};
  CHECK(bed.look() == whole);
  CHECK_FALSE(std::filesystem::exists("/srv/hu-web"));
  must("useradd hu-other && usermod -u 5432 -g hu-other -G '' -d / -s /bin/sh -c x hu-web");
  CHECK(bed.look().uid == 5432);
  bed.must_converge();
  CHECK(bed.look() == whole);
  must("usermod -aG hu-other hu-web");
  bed.must_converge();
  CHECK(bed.look().groups == strings{"hu-other", "hu-radio"});
  must("userdel hu-web");
  bed.must_converge();
  CHECK(bed.look() == whole);
}

TEST_CASE("accounts: bad wishes -> each its own reason, nothing made") {
  user_bed bed;
  must("useradd -u 4321 hu-other");
  SECTION("no such group") {
    bed.want.spec.groups = {"hu-lab", "hu-nosuch"};
    check_failure(bed.converge(), ec::no_such_user, "'hu-nosuch'");
  }
  SECTION("number taken") {
    bed.want.spec.uid = 4321;
    check_failure(bed.converge(), ec::account_failed, "taken by account 'hu-other'");
  }
  SECTION("group of its name is somebody's") {
    must("groupadd hu-web");
    check_failure(bed.converge(), ec::name_conflict, "set group: hu-web");
    bed.want.spec.group = "hu-web";
    bed.must_converge();
    REQUIRE(bed.leave().ok());
    must("getent group hu-lab");
  }
  SECTION("useradd refuses") {
    bed.want.spec.shell = "/bin/a:b";
    check_failure(bed.converge(), ec::account_failed, "useradd: invalid shell");
  }
  CHECK_FALSE(bed.look().present);
  CHECK(bed.owned.all().empty());
}

TEST_CASE("accounts: somebody else's -> NameConflict; adopted on wish, stays on leaving") {
  user_bed bed;
  must("useradd -u 4321 -g hu-lab -G hu-radio hu-web");
  check_failure(bed.converge(), ec::name_conflict, "adopt: true");
  bed.want.spec.adopt = true;
  bed.want.spec.shell = "/bin/bash";
  bed.must_converge();
  CHECK(bed.look()
        == account_info{true, 4321, "hu-lab", "/home/hu-web", "/bin/bash", "", {"hu-radio"}});
  bed.want.spec.uid = 4322;
  check_failure(bed.converge(), ec::name_conflict, "has uid 4321");
  REQUIRE(bed.leave().ok());
  CHECK(bed.look().present);
  CHECK(bed.owned.all().empty());
}

TEST_CASE("accounts: has a process when it leaves -> account_failed naming it, later removed") {
  user_bed bed;
  bed.must_converge();
  const auto uid = bed.look().uid;
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    if (::setuid(uid) != 0)
      ::_exit(1);
    ::pause();
    ::_exit(0);
  }
  CHECK(eventually([&] {
    struct ::stat s {};
    return ::stat(("/proc/" + std::to_string(child)).c_str(), &s) == 0 && s.st_uid == uid;
  }));
  check_failure(bed.leave(), ec::account_failed, "process " + std::to_string(child));
  CHECK(bed.look().present);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  REQUIRE(bed.leave().ok());
  CHECK_FALSE(bed.look().present);
}

TEST_CASE("accounts: changed by hand -> hinted at; the relist shows which") {
  user_bed bed;
  bed.must_converge();
  const auto monitor = watch_accounts(std::make_shared<shadow_accounts>());
  hint_log hints;
  monitor->start(hints.sink());
  monitor->watch({"hu-web"});
  CHECK(hints.wait_for(""));
  CHECK(eventually([&] { return monitor->streaming(); }));
  auto last = monitor->relist(seconds{5})->front().fingerprint;
  CHECK_FALSE(last.empty());
  for (const auto* change : {"usermod -s /bin/bash hu-web", "usermod -aG hu-lab hu-web",
                             "gpasswd -d hu-web hu-lab", "userdel hu-web"}) {
    INFO(change);
    hints.clear();
    must(change);
    CHECK(hints.wait_for(""));
    CHECK(eventually([&] { return monitor->relist(seconds{5})->front().fingerprint != last; }));
    last = monitor->relist(seconds{5})->front().fingerprint;
  }
  CHECK(last.empty());
}

TEST_CASE("accounts killed: agent and useradd at once, at any moment -> finished by the next") {
  user_bed bed;
  bed.want.spec.groups = {"hu-lab", "hu-radio"};
  for (int step = 0; step < 12; ++step) {
    INFO("killed after " << step * 4 << " ms");
    const auto child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0)
      ::_exit(bed.converge().ok() ? 0 : 1);
    std::this_thread::sleep_for(milliseconds{step * 4});
    kill_tree(child);
    ::waitpid(child, nullptr, 0);
    // What the killed one had claimed before.
    REQUIRE(bed.owned.claim({bed.want.id, "hu-web", true, "group"}).ok());
    bed.must_converge();
    CHECK(bed.look().groups == strings{"hu-lab", "hu-radio"});
    REQUIRE(bed.leave().ok());
    CHECK_FALSE(bed.look().present);
    CHECK_FALSE(*bed.device.manager.has_group("hu-web"));
  }
}

} // namespace
} // namespace harmony::test

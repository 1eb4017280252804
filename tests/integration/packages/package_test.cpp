// Packages against the real apt and dpkg.

#include <array>
#include <csignal>
#include <filesystem>
#include <future>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "integration/packages/package_bed.hpp"
#include "support/outcomes.hpp"
#include "support/temp_dir.hpp"
#include "topology/database_monitor.hpp"

namespace harmony::test {
namespace {

using standing = package_condition;
using Catch::Matchers::Contains;

const package_info none;

TEST_CASE("apt: lists never read -> read once, the newest installed, removed on leaving") {
  reset_repository();
  publish({"ht-web", "1.0", {}, {}, "port = 80\n"});
  publish({"ht-web", "1.1", {}, {}, "port = 80\n"});
  package_bed bed;
  const auto want = package_bed::want("ht-web");
  bed.must_converge(want);
  CHECK(bed.look("ht-web") == package_info{standing::installed, "1.1", "installed", false});
  CHECK(read_file("/usr/share/ht-web/version") == "1.1\n");
  CHECK(bed.owned.find(want.id, "ht-web")->created);
  REQUIRE(bed.leave(want).ok());
  CHECK(bed.look("ht-web").condition == standing::absent);
  CHECK_FALSE(std::filesystem::exists("/usr/share/ht-web"));
  CHECK(std::filesystem::exists("/etc/ht-web.conf"));
  CHECK(bed.owned.all().empty());
}

TEST_CASE("apt: exact versions -> installed, down and up; a changed conffile stays") {
  reset_repository();
  publish({"ht-web", "1.0", {}, {}, "port = 80\n"});
  publish({"ht-web", "2.0", {}, {}, "port = 443\n"});
  package_bed bed;
  bed.must_converge(package_bed::want("ht-web", "1.0"));
  CHECK(bed.look("ht-web").version == "1.0");
  write_file("/etc/ht-web.conf", "port = 8080\n");
  bed.must_converge(package_bed::want("ht-web", "2.0"));
  CHECK(bed.look("ht-web").version == "2.0");
  CHECK(read_file("/etc/ht-web.conf") == "port = 8080\n");
  bed.must_converge(package_bed::want("ht-web", "1.0"));
  CHECK(bed.look("ht-web").version == "1.0");
  bed.must_converge(package_bed::want("ht-web"));
  CHECK(bed.look("ht-web").version == "1.0");
  bed.must_converge(package_bed::want("ht-web", {}, package_state::absent));
  CHECK(bed.look("ht-web").condition == standing::absent);
  CHECK(bed.owned.all().empty());
}

TEST_CASE(
  "apt: installed by somebody else -> stays on leaving, also when its version was changed") {
  reset_repository();
  publish({"ht-web", "1.0"});
  publish({"ht-web", "2.0"});
  must("dpkg -i /srv/harmony-repository/ht-web_1.0_all.deb");
  package_bed bed;
  bed.must_converge(package_bed::want("ht-web"));
  CHECK(bed.owned.all().empty());
  bed.must_converge(package_bed::want("ht-web", "2.0"));
  CHECK_FALSE(bed.owned.all().front().created);
  REQUIRE(bed.leave(package_bed::want("ht-web")).ok());
  CHECK(bed.look("ht-web").version == "2.0");
  CHECK(bed.owned.all().empty());
}

TEST_CASE("apt: not in any repository -> package_not_found, nothing like it installed") {
  reset_repository();
  publish({"ht-web", "1.0"});
  package_bed bed;
  check_failure(bed.converge(package_bed::want("ht-nosuch")), ec::package_not_found,
                "has a package 'ht-nosuch'");
  // apt-get would take these for patterns, and for an order to remove.
  for (const auto* name : {"ht.web", "ht-we.", "ht-web-", "ht-web+"})
    check_failure(bed.converge(package_bed::want(name)), ec::package_not_found, name);
  check_failure(bed.converge(package_bed::want("ht-web", "3.0")), ec::package_not_found,
                "has version '3.0' of package 'ht-web': it has '1.0'");
  CHECK(bed.look("ht-web") == none);
  CHECK(bed.owned.all().empty());
}

TEST_CASE("apt: needed by another package -> not removed, the reason names it") {
  reset_repository();
  publish({"ht-lib"});
  publish({"ht-app", "1.0", "Depends: ht-lib\nRecommends: ht-nice\n"});
  publish({"ht-nice"});
  package_bed bed;
  bed.must_converge(package_bed::want("ht-lib"));
  bed.must_converge(package_bed::want("ht-app"));
  CHECK(bed.look("ht-nice") == none);
  check_failure(bed.leave(package_bed::want("ht-lib")), ec::package_failed,
                "ht-app depends on ht-lib");
  CHECK(bed.look("ht-lib").condition == standing::installed);
  CHECK(bed.look("ht-app").condition == standing::installed);
  check_failure(bed.converge(package_bed::want("ht-lib", {}, package_state::absent)),
                ec::package_failed, "ht-app depends on ht-lib");
  REQUIRE(bed.leave(package_bed::want("ht-app")).ok());
  REQUIRE(bed.leave(package_bed::want("ht-lib")).ok());
  CHECK(bed.look("ht-lib") == none);
}

TEST_CASE("apt: an essential package -> never removed") {
  reset_repository();
  package_bed bed;
  check_failure(bed.converge(package_bed::want("coreutils", {}, package_state::absent)),
                ec::package_failed, "essential");
  CHECK(bed.look("coreutils").condition == standing::installed);
}

TEST_CASE("apt: conflicts with an installed package -> refused, nothing removed") {
  reset_repository();
  publish({"ht-one"});
  publish({"ht-two", "1.0", "Conflicts: ht-one\n"});
  package_bed bed;
  bed.must_converge(package_bed::want("ht-one"));
  check_failure(bed.converge(package_bed::want("ht-two")), ec::package_failed, "ht-one");
  CHECK(bed.look("ht-one").condition == standing::installed);
  CHECK(bed.look("ht-two") == none);
  CHECK(bed.owned.all().size() == 1);
}

TEST_CASE("apt: script fails -> its words; mended -> set up, also without a repository") {
  reset_repository();
  publish({"ht-web", "1.0", {}, "test ! -e /run/ht-fail || { echo no luck; exit 1; }"});
  package_bed bed;
  write_file("/run/ht-fail", "");
  const auto want = package_bed::want("ht-web");
  check_failure(bed.converge(want), ec::package_failed,
                "installed ht-web package post-installation");
  CHECK(bed.look("ht-web").status == "half-configured");
  std::filesystem::remove("/run/ht-fail");
  must("rm /srv/harmony-repository/*; : >/srv/harmony-repository/Packages; apt-get -qq update");
  bed.must_converge(want);
  REQUIRE(bed.leave(want).ok());
  CHECK(bed.look("ht-web").condition == standing::absent);
}

TEST_CASE("apt: left half-installed by a killed dpkg -> installed anew, or removed") {
  reset_repository();
  publish({"ht-web", "1.0"});
  package_bed bed;
  const auto want = package_bed::want("ht-web");
  bed.must_converge(want);
  const auto flag = std::string{GENERATE("reinstreq", "ok")};
  must("sed -i '/^Package: ht-web$/,/^Status:/s/^Status:.*/Status: install " + flag
       + " half-installed/' /var/lib/dpkg/status; rm -r /usr/share/ht-web");
  CHECK(bed.look("ht-web") == package_info{standing::broken, "1.0", "half-installed", false});
  SECTION("desired") {
    bed.must_converge(want);
    CHECK(read_file("/usr/share/ht-web/version") == "1.0\n");
  }
  SECTION("not desired any more") {
    REQUIRE(bed.leave(want).ok());
    CHECK(bed.look("ht-web").condition == standing::absent);
  }
  CHECK(must("dpkg --audit").empty());
}

TEST_CASE("apt: with an architecture -> the same package as without, where it is the device's") {
  reset_repository();
  auto native = must("dpkg --print-architecture");
  publish({"ht-own", "1.0", {}, {}, {}, native});
  publish({"ht-doc", "1.0"});
  package_bed bed;
  for (const std::string name : {"ht-own", "ht-doc"}) {
    const auto want = package_bed::want(name + ":" + native);
    bed.must_converge(want);
    CHECK(bed.look(name).version == "1.0");
    const auto gone = bed.leave(want);
    INFO((gone ? "" : gone.error().message));
    REQUIRE(gone.ok());
    CHECK(bed.look(name) == none);
  }
}

TEST_CASE("apt: on hold -> not changed, the reason says so") {
  reset_repository();
  publish({"ht-web", "1.0"});
  publish({"ht-web", "2.0"});
  package_bed bed;
  bed.must_converge(package_bed::want("ht-web", "1.0"));
  must("apt-mark hold ht-web");
  check_failure(bed.converge(package_bed::want("ht-web", "2.0")), ec::package_failed, "Held");
  CHECK(bed.look("ht-web").version == "1.0");
}

/// Holds dpkg's lock in another process until this object goes.
class lock_holder_process {
public:
  lock_holder_process() {
    std::array<int, 2> ready{};
    REQUIRE(::pipe(ready.data()) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      const int fd = ::open("/var/lib/dpkg/lock-frontend", O_RDWR | O_CREAT | O_CLOEXEC, 0640);
      struct ::flock lock {};
      lock.l_type = F_WRLCK;
      const bool held = ::fcntl(fd, F_SETLK, &lock) == 0;
      (void)!::write(ready[1], held ? "y" : "n", 1);
      ::pause();
      ::_exit(0);
    }
    char answer = 'n';
    REQUIRE(::read(ready[0], &answer, 1) == 1);
    REQUIRE(answer == 'y');
    ::close(ready[0]);
    ::close(ready[1]);
  }
  lock_holder_process(const lock_holder_process&) = delete;
  lock_holder_process& operator=(const lock_holder_process&) = delete;
  ~lock_holder_process() { release(); }

  void release() {
    if (pid_ <= 0)
      return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

private:
  pid_t pid_ = -1;
};

TEST_CASE("apt: another process holds the lock -> waited for, or timed_out naming it") {
  reset_repository();
  publish({"ht-web"});
  must("apt-get -qq update");
  apt_config config;
  config.lock_patience = seconds{3};
  package_bed bed{config};
  lock_holder_process holder;
  const auto want = package_bed::want("ht-web");
  SECTION("for ever") {
    const auto began = clock::now();
    check_failure(bed.converge(want), ec::timed_out, "process " + std::to_string(holder.pid()));
    CHECK(clock::now() - began >= seconds{2});
    CHECK(clock::now() - began < seconds{15});
    CHECK(bed.owned.all().empty());
  }
  SECTION("until the deadline") {
    check_failure(bed.converge(want, seconds{5}), ec::timed_out, "process");
  }
  SECTION("for a while: apt-get waits") {
    auto done = std::async(std::launch::async, [&] { return bed.converge(want); });
    std::this_thread::sleep_for(milliseconds{1500});
    holder.release();
    CHECK(done.get().ok());
    CHECK(bed.look("ht-web").condition == standing::installed);
  }
  SECTION("for a while: dpkg is tried again") {
    holder.release();
    bed.must_converge(want);
    lock_holder_process again;
    auto done = std::async(std::launch::async, [&] { return bed.leave(want); });
    std::this_thread::sleep_for(milliseconds{1500});
    again.release();
    CHECK(done.get().ok());
    CHECK(bed.look("ht-web") == none);
  }
}

TEST_CASE("apt: script hangs until the deadline -> killed, timed_out, finished by the next") {
  reset_repository();
  publish({"ht-web", "1.0", {}, "while test -e /run/ht-hang; do sleep 0.1; done"});
  package_bed bed;
  write_file("/run/ht-hang", "");
  const auto want = package_bed::want("ht-web");
  const auto began = clock::now();
  check_failure(bed.converge(want, seconds{5}), ec::timed_out, "did not end in time");
  CHECK(clock::now() - began < seconds{14});
  CHECK(bed.look("ht-web").condition == standing::unconfigured);
  CHECK(bed.owned.all().size() == 1);
  std::filesystem::remove("/run/ht-hang");
  bed.must_converge(want);
  CHECK(bed.look("ht-web") == package_info{standing::installed, "1.0", "installed", false});
}

TEST_CASE("apt killed: agent and apt at once, at any moment -> finished or removed by the next") {
  reset_repository();
  publish({"ht-lib"});
  publish({"ht-web", "1.0", "Depends: ht-lib\n", "sleep 0.1"});
  must("apt-get -qq update");
  const auto want = package_bed::want("ht-web");
  int seen_half_way = 0;
  for (int step = 0; step < 14; ++step) {
    const milliseconds after{200 + step * 100};
    INFO("killed after " << after.count() << " ms");
    const auto child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      package_bed killed;
      ::_exit(killed.converge(want).ok() ? 0 : 1);
    }
    std::this_thread::sleep_for(after);
    kill_tree(child);
    ::waitpid(child, nullptr, 0);
    package_bed next;
    // What the killed one had claimed before.
    REQUIRE(next.owned.claim({want.id, "ht-web"}).ok());
    const auto left = next.look("ht-web");
    if (left.interrupted || (left != none && left.condition != standing::installed))
      ++seen_half_way;
    if (step % 2 == 0) {
      next.must_converge(want);
      CHECK(must("dpkg --audit").empty());
    }
    const auto gone = next.leave(want);
    INFO((gone ? "" : gone.error().message));
    REQUIRE(gone.ok());
    CHECK(next.look("ht-web").condition == standing::absent);
    must("dpkg --configure -a; dpkg --purge --force-remove-reinstreq ht-web ht-lib");
  }
  CHECK(seen_half_way > 0);
}

TEST_CASE("apt: unpacked without what it depends on, by a power cut -> both installed") {
  reset_repository();
  publish({"ht-lib"});
  publish({"ht-web", "1.0", "Depends: ht-lib\n"});
  must("apt-get -qq update; dpkg --unpack /srv/harmony-repository/ht-web_*.deb");
  package_bed bed;
  const auto want = package_bed::want("ht-web");
  bed.must_converge(want);
  CHECK(bed.look("ht-web").condition == standing::installed);
  CHECK(bed.look("ht-lib").condition == standing::installed);
  CHECK(must("dpkg --audit").empty());
}

TEST_CASE("apt: changed by hand -> hinted at; the relist shows which, by one read") {
  reset_repository();
  publish({"ht-web", "1.0"});
  publish({"ht-web", "2.0"});
  publish({"ht-lib"});
  const auto manager = std::make_shared<apt_packages>();
  package_bed bed;
  bed.must_converge(package_bed::want("ht-web", "1.0"));
  bed.must_converge(package_bed::want("ht-lib"));
  const auto monitor = watch_packages(manager);
  hint_log hints;
  monitor->start([told = hints.sink()](const std::string& target) {
    CHECK(target.empty());
    told(target);
  });
  monitor->watch({"ht-web", "ht-lib", "ht-nosuch"});
  CHECK(hints.wait_for(""));
  CHECK(eventually([&] { return monitor->streaming(); }));
  using facts = std::vector<runtime_fact>;
  CHECK(*monitor->relist(seconds{5})
        == facts{{"ht-web", "1.0 installed"}, {"ht-lib", "1.0 installed"}, {"ht-nosuch", ""}});
  const auto now_is = [&](const std::string& fingerprint) {
    CHECK(hints.wait_for(""));
    return eventually(
      [&] { return monitor->relist(seconds{5})->front().fingerprint == fingerprint; });
  };
  hints.clear();
  must("apt-get -qq -y install ht-web=2.0");
  CHECK(now_is("2.0 installed"));
  hints.clear();
  must("dpkg --remove ht-web");
  CHECK(now_is(""));
  CHECK_FALSE(bed.plan(package_bed::want("ht-web")).empty());
  bed.must_converge(package_bed::want("ht-web"));
  monitor->stop();
}

TEST_CASE("apt in a control group of its own -> converged the same") {
  reset_repository();
  publish({"ht-web", "1.0", {}, "cat /proc/self/cgroup >/run/ht-cgroup"});
  apt_config config;
  config.launcher = {"/usr/bin/systemd-run", "--scope", "--quiet", "--collect", "--"};
  package_bed bed{config};
  bed.must_converge(package_bed::want("ht-web"));
  CHECK_THAT(read_file("/run/ht-cgroup"), Contains(".scope"));
  REQUIRE(bed.leave(package_bed::want("ht-web")).ok());
}

} // namespace
} // namespace harmony::test

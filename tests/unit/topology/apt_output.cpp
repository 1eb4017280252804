#include "topology/apt_output.hpp"

#include "support/catch.hpp"

namespace harmony::test {
namespace {

using strings = std::vector<std::string>;

TEST_CASE("apt output: madison -> versions of that package alone, no sources") {
  const auto* output =
    "      curl | 7.88.1-10+deb12u5 | http://deb.debian.org bookworm/main amd64 Packages\n"
    "      curl | 7.88.1-10 | http://deb.debian.org bookworm/main amd64 Packages\n"
    "     curlx | 1.0 | http://deb.debian.org bookworm/main amd64 Packages\n"
    "      curl | 7.88.1-9 | http://deb.debian.org bookworm/main Sources\n";
  CHECK(listed_versions(output, "curl") == strings{"7.88.1-10+deb12u5", "7.88.1-10"});
  CHECK(listed_versions(output, "curl:amd64") == strings{"7.88.1-10+deb12u5", "7.88.1-10"});
  CHECK(listed_versions(output, "cur").empty());
  CHECK(listed_versions("N: Unable to locate package nosuch\n", "nosuch").empty());
}

TEST_CASE("apt output: held locks -> who holds them") {
  const std::string apt =
    "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process "
    "42 (python3)";
  CHECK(lock_holder(apt + "\nE: Unable to acquire the dpkg frontend lock\n") == apt);
  const std::string dpkg =
    "dpkg: error: dpkg frontend lock was locked by another process with pid 7";
  CHECK(lock_holder(dpkg + "\nNote: removing the lock file is always wrong\n") == dpkg);
  CHECK(lock_holder("E: Unable to locate package x\n").empty());
}

TEST_CASE("apt output: failures -> the reason on one line, with its code") {
  struct row {
    std::string output;
    ec code;
    std::string message;
  };
  const std::vector<row> rows{
    {"Reading package lists...\ndpkg: dependency problems prevent removal of lib:\n"
     " app depends on lib.\n\ndpkg: error processing package lib (--remove):\n"
     " dependency problems - not removing\nErrors were encountered while processing:\n lib\n",
     ec::package_failed,
     "doing failed: dpkg: dependency problems prevent removal of lib: app depends on lib.; dpkg: "
     "error processing package lib (--remove): dependency problems - not removing"},
    {"dpkg: warning: something\n noise\nE: Held packages were changed\n", ec::package_failed,
     "doing failed: E: Held packages were changed"},
    {"The following packages have unmet dependencies:\n a : Depends: b but it is not installable\n"
     "E: Unable to correct problems\n",
     ec::package_failed,
     "doing failed: The following packages have unmet dependencies: a : Depends: b but it is not "
     "installable; E: Unable to correct problems"},
    {"E: Failed to fetch http://x/y.deb  404  Not Found\n", ec::download_failed,
     "doing failed: E: Failed to fetch http://x/y.deb  404  Not Found"},
    {"dpkg: error: failed to write: No space left on device\n", ec::disk_full,
     "doing failed: dpkg: error: failed to write: No space left on device"},
    {"strange\nlast words\n\n", ec::package_failed, "doing failed: last words"},
    {"", ec::package_failed, "doing failed: see /var/log/dpkg.log"},
  };
  for (const auto& r : rows) {
    const auto got = apt_failure(r.output, "doing");
    CHECK(got.code == r.code);
    CHECK(got.message == r.message);
  }
  CHECK(apt_failure("E: " + std::string(10000, 'x'), "doing").message.size() < 700);
}

} // namespace
} // namespace harmony::test

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "topology/files_monitor.hpp"
#include "unit/reconcilers/file_world.hpp"

namespace harmony {
namespace {

using test::file_world;
using namespace std::chrono_literals;

/// Collects hints, and waits for one.
class hint_log {
public:
  void add(const std::string& target) {
    const std::lock_guard guard{mutex_};
    ++count_[target];
    changed_.notify_all();
  }

  /// Waits until `target` was hinted since the last `clear`; false after 5 s.
  bool await(const std::string& target) {
    std::unique_lock guard{mutex_};
    return changed_.wait_for(guard, 5s, [&] { return count_[target] > 0; });
  }

  void clear() {
    const std::lock_guard guard{mutex_};
    count_.clear();
  }

  std::map<std::string, int> all() {
    const std::lock_guard guard{mutex_};
    return count_;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, int> count_;
};

struct fixture {
  file_world world;
  hint_log hints;
  inotify_files_monitor monitor;

  fixture() {
    monitor.start([this](const std::string& target) { hints.add(target); });
  }
  ~fixture() { monitor.stop(); }

  /// Returns once the new targets are watched: the hint "" says so.
  void watch(const std::vector<std::string>& names) {
    std::vector<std::string> targets;
    for (const auto& n : names)
      targets.push_back(world / n);
    hints.clear();
    monitor.watch(targets);
    REQUIRE(hints.await(""));
    hints.clear();
  }

  /// Everything that happened before is told once this returns: events keep their order.
  void settle() {
    world.write("fence", "");
    REQUIRE(hints.await(world / "fence"));
  }
};

TEST_CASE("files_monitor: target created, written, chmodded, removed -> hinted each time") {
  fixture f;
  f.watch({"motd"});
  CHECK(f.monitor.streaming());
  f.world.write("motd", "one");
  CHECK(f.hints.await(f.world / "motd"));
  f.hints.clear();
  REQUIRE(::chmod((f.world / "motd").c_str(), 0600) == 0);
  CHECK(f.hints.await(f.world / "motd"));
  f.hints.clear();
  f.world.write("motd", "two");
  CHECK(f.hints.await(f.world / "motd"));
  f.hints.clear();
  f.world.write("other", "three");
  std::filesystem::rename(f.world / "other", f.world / "motd");
  CHECK(f.hints.await(f.world / "motd"));
  f.hints.clear();
  REQUIRE(::unlink((f.world / "motd").c_str()) == 0);
  CHECK(f.hints.await(f.world / "motd"));
}

TEST_CASE("files_monitor: other names and the agent's temporaries -> no hint") {
  fixture f;
  f.watch({"motd", "fence"});
  f.world.write("other", "x");
  f.world.write(".harmony-0123456789abcdef", "x");
  f.settle();
  CHECK(f.hints.all().size() == 1);
}

TEST_CASE("files_monitor: directory as a target -> hinted by its mode and its removal") {
  fixture f;
  REQUIRE(::mkdir((f.world / "dir").c_str(), 0755) == 0);
  f.watch({"dir"});
  REQUIRE(::chmod((f.world / "dir").c_str(), 0700) == 0);
  CHECK(f.hints.await(f.world / "dir"));
  f.hints.clear();
  REQUIRE(::rmdir((f.world / "dir").c_str()) == 0);
  CHECK(f.hints.await(f.world / "dir"));
}

TEST_CASE("files_monitor: folder missing -> awaited, however deep, and again after it went") {
  fixture f;
  f.watch({"a/b/c/motd"});
  for (int round = 0; round < 3; ++round) {
    INFO("round " << round);
    f.hints.clear();
    std::filesystem::create_directories(f.world / "a/b/c");
    CHECK(f.hints.await(f.world / "a/b/c/motd"));
    f.hints.clear();
    f.world.write("a/b/c/motd", "x");
    CHECK(f.hints.await(f.world / "a/b/c/motd"));
    f.hints.clear();
    std::filesystem::remove_all(f.world / "a");
    CHECK(f.hints.await(f.world / "a/b/c/motd"));
    // The hint may be of the file alone: wait until the thread also knows that the folder went.
    REQUIRE(f.monitor.relist(5s).ok());
  }
}

TEST_CASE("files_monitor: folder above renamed -> found by the relist, then watched anew") {
  fixture f;
  std::filesystem::create_directories(f.world / "a/b");
  f.watch({"a/b/motd"});
  std::filesystem::rename(f.world / "a", f.world / "elsewhere");
  std::filesystem::create_directories(f.world / "a/b");
  REQUIRE(f.monitor.relist(5s).ok());
  CHECK(f.hints.await(f.world / "a/b/motd"));
  f.hints.clear();
  f.world.write("a/b/motd", "x");
  CHECK(f.hints.await(f.world / "a/b/motd"));
}

TEST_CASE("files_monitor: one folder by two paths -> the target of each is hinted") {
  fixture f;
  std::filesystem::create_directories(f.world / "real/sub");
  REQUIRE(::symlink("real", (f.world / "link").c_str()) == 0);
  f.watch({"real/sub/motd", "link/sub/motd"});
  f.world.write("real/sub/motd", "x");
  CHECK(f.hints.await(f.world / "real/sub/motd"));
  CHECK(f.hints.await(f.world / "link/sub/motd"));
}

TEST_CASE("files_monitor: targets replaced -> the former are silent") {
  fixture f;
  f.watch({"old"});
  f.watch({"new", "fence"});
  f.world.write("old", "x");
  f.settle();
  CHECK(f.hints.all().count(f.world / "old") == 0);
  f.world.write("new", "x");
  CHECK(f.hints.await(f.world / "new"));
}

TEST_CASE("files_monitor: burst of writes -> hinted") {
  fixture f;
  f.watch({"motd"});
  for (int i = 0; i < 1000; ++i)
    f.world.write("motd", "x");
  CHECK(f.hints.await(f.world / "motd"));
}

TEST_CASE("files_monitor: relist -> equal fingerprints until something happened") {
  fixture f;
  f.world.write("a", "one");
  f.watch({"a", "b"});
  const auto first = f.monitor.relist(5s);
  REQUIRE(first.ok());
  REQUIRE(first->size() == 2);
  CHECK((*first)[0].target == f.world / "a");
  CHECK_FALSE((*first)[0].fingerprint.empty());
  CHECK((*first)[1].fingerprint.empty());
  CHECK(*f.monitor.relist(5s) == *first);
  SECTION("mode") {
    REQUIRE(::chmod((f.world / "a").c_str(), 0600) == 0);
  }
  SECTION("content") {
    f.world.write("a", "three");
  }
  SECTION("another file of the same size") {
    f.world.write("c", "two");
    std::filesystem::rename(f.world / "c", f.world / "a");
  }
  const auto second = f.monitor.relist(5s);
  REQUIRE(second.ok());
  CHECK((*second)[0].fingerprint != (*first)[0].fingerprint);
  CHECK((*second)[1] == (*first)[1]);
}

TEST_CASE("files_monitor: stopped -> no hint any more, twice is fine") {
  fixture f;
  f.watch({"motd"});
  f.monitor.stop();
  f.monitor.stop();
  f.world.write("motd", "x");
  CHECK(f.hints.all().empty());
  CHECK_FALSE(f.monitor.streaming());
}

} // namespace
} // namespace harmony

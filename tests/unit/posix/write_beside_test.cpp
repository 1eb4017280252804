#include "posix/write_beside.hpp"

#include <filesystem>
#include <set>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix/descriptor.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

namespace {

namespace fs = std::filesystem;

/// A folder with a file `key` in it, to be written.
struct beside_bed {
  temp_dir folder;
  std::string path = (folder / "key").string();

  [[nodiscard]] outcome<void> write(const std::string& text, placing how = placing::replace,
                                    mode_t mode = 0600) const {
    return write_beside(path, text, mode, how);
  }
  [[nodiscard]] std::set<std::string> names() const {
    std::set<std::string> all;
    for (const auto& each : fs::directory_iterator{folder / ""})
      all.insert(each.path().filename().string());
    return all;
  }
  [[nodiscard]] mode_t mode() const {
    struct stat info {};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    return info.st_mode & 07777U;
  }
};

} // namespace

TEST_CASE("write beside: created, replaced -> whole, with its mode, and nothing else is there") {
  const beside_bed bed;
  REQUIRE(bed.write("one", placing::create));
  CHECK(read_file(bed.path) == "one");
  CHECK(bed.mode() == 0600);
  CHECK(bed.write("two", placing::create).error().code == ec::name_conflict);
  CHECK(read_file(bed.path) == "one");
  REQUIRE(bed.write("three", placing::replace, 0644));
  CHECK(read_file(bed.path) == "three");
  CHECK(bed.mode() == 0644);
  CHECK(bed.names() == std::set<std::string>{"key"});
  CHECK(
    write_beside((bed.folder / "none" / "key").string(), "x", 0600, placing::create).error().code
    == ec::not_found);
}

TEST_CASE("write beside: temporaries of killed writers -> gone with the next write of that file") {
  const beside_bed bed;
  for (const char* each : {"key.harmony-aB3xYz", "key.harmony-000000"})
    write_file(bed.folder / each, "half");
  const auto how = GENERATE(placing::create, placing::replace);
  REQUIRE(bed.write("whole", how));
  CHECK(bed.names() == std::set<std::string>{"key"});
}

TEST_CASE("write beside: what is no such temporary -> left alone") {
  const beside_bed bed;
  const std::set<std::string> files{
    "key.backup",          "key.aB3xYz",         "other.harmony-aB3xYz", "key.harmony-aB3xY",
    "key.harmony-aB3xYzz", "key.harmony-aB3x.z", "akey.harmony-aB3xYz",  "key.harmony-"};
  for (const auto& each : files)
    write_file(bed.folder / each, "x");
  auto all = files;
  fs::create_directory(bed.folder / "key.harmony-folder");
  fs::create_symlink("key.backup", bed.folder / "key.harmony-link00");
  REQUIRE(::mkfifo((bed.folder / "key.harmony-fifo00").c_str(), 0600) == 0);
  all.insert({"key", "key.harmony-folder", "key.harmony-link00", "key.harmony-fifo00"});
  if (::geteuid() == 0) {
    write_file(bed.folder / "key.harmony-others", "x");
    REQUIRE(::chown((bed.folder / "key.harmony-others").c_str(), 65534, 65534) == 0);
    all.insert("key.harmony-others");
  }
  REQUIRE(bed.write("x"));
  CHECK(bed.names() == all);
}

TEST_CASE("write beside: temporary that somebody is writing -> stays until that one has ended") {
  const beside_bed bed;
  const auto temporary = bed.folder / "key.harmony-aB3xYz";
  write_file(temporary, "ha");
  {
    const open_fd writer{::open(temporary.c_str(), O_RDWR | O_CLOEXEC)};
    REQUIRE(::flock(writer.get(), LOCK_EX) == 0);
    REQUIRE(bed.write("one"));
    CHECK(fs::exists(temporary));
  }
  REQUIRE(bed.write("two"));
  CHECK_FALSE(fs::exists(temporary));
}

TEST_CASE("write beside: many at once -> each succeeds, one of them is there, nothing else") {
  const beside_bed bed;
  constexpr int writers = 8;
  constexpr int rounds = 200;
  std::vector<int> failed(writers);
  {
    std::vector<std::jthread> all;
    for (int i = 0; i < writers; ++i)
      all.emplace_back([&bed, &failed, i] {
        for (int round = 0; round < rounds; ++round)
          failed[i] += bed.write(std::string(100, static_cast<char>('a' + i))) ? 0 : 1;
      });
  }
  CHECK(failed == std::vector<int>(writers));
  const auto text = read_file(bed.path);
  CHECK(text == std::string(100, text.front()));
  CHECK(bed.names() == std::set<std::string>{"key"});
}

} // namespace harmony::test

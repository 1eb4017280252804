// What only a folder that changes under the store can show.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sched.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "beds.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

namespace fs = std::filesystem;
constexpr auto desired = bucket::desired_state;

/// A prepared store in a folder of its own.
struct place {
  place() : root(folder / "a" / "store"), s(open_connected("dir:" + root.string())) {
    REQUIRE(s->prepare(ample));
  }
  temp_dir folder;
  fs::path root;
  std::unique_ptr<store> s;
};

} // namespace

TEST_CASE("directory: folder deleted and made anew -> the watch goes on") {
  place here;
  hints seen;
  const auto watching = here.s->watch(desired, "pi-1", seen.sink());
  REQUIRE(watching);
  REQUIRE(seen.covers(""));
  for (int i = 0; i < 3; ++i) {
    // Not only the bucket: the root and its parent too.
    fs::remove_all(here.folder / "a");
    CHECK(code_of(here.s->get(desired, "pi-1", ample)) == ec::bucket_not_found);
    REQUIRE(here.s->prepare(ample));
    const auto first = here.s->put(desired, "pi-1", "one", 0, ample);
    REQUIRE(first);
    REQUIRE(seen.shows(*here.s, desired, "pi-1", "one"));
    REQUIRE(here.s->put(desired, "pi-1", "two", *first, ample));
    REQUIRE(seen.shows(*here.s, desired, "pi-1", "two"));
  }
}

TEST_CASE("directory: folder moved away and another put in its place -> the watch follows") {
  place here;
  hints seen;
  const auto watching = here.s->watch(desired, "pi-1", seen.sink());
  REQUIRE(watching);
  REQUIRE(seen.covers(""));
  place other;
  REQUIRE(other.s->put(desired, "pi-1", "restored", 0, ample));
  seen.box().clear();
  fs::rename(here.root, here.root.string() + ".old");
  fs::rename(other.root, here.root);
  REQUIRE(seen.covers("pi-1"));
  const auto found = here.s->get(desired, "pi-1", ample);
  REQUIRE(found);
  REQUIRE(*found);
  CHECK((*found)->value == "restored");
  REQUIRE(here.s->put(desired, "pi-1", "next", (*found)->revision, ample));
  REQUIRE(seen.names("pi-1"));
}

TEST_CASE("directory: more changes than the kernel queues -> hinted all the same") {
  place here;
  mailbox<bool> release;
  mailbox<std::string> got;
  // The callback is made to be slow: the queue of 16384 events overflows behind it.
  const auto watching = here.s->watch(desired, "", [&](const std::string& key) {
    got.put(key);
    if (key == "hold")
      release.take_until([](bool) { return true; });
  });
  REQUIRE(watching);
  REQUIRE(got.take_until([](const auto& key) { return key.empty(); }));
  REQUIRE(here.s->put(desired, "hold", "", 0, ample));
  REQUIRE(got.take_until([](const auto& key) { return key == "hold"; }));
  const auto one = here.root / "desired-state" / ".one";
  const auto two = here.root / "desired-state" / "two";
  write_file(one, "");
  for (int i = 0; i < 20000; ++i) {
    fs::rename(one, two);
    fs::rename(two, one);
  }
  release.put(true);
  CHECK(got.take_until([](const auto& key) { return key.empty(); }));
}

TEST_CASE("directory: a writer in another process keeps the lock -> timed_out, reads go on") {
  place here;
  const auto first = here.s->put(desired, "pi-1", "one", 0, ample);
  REQUIRE(first);
  // A process that takes the lock and is then stopped with it.
  const auto bucket_path = (here.root / "desired-state").string();
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const int fd = ::open(bucket_path.c_str(), O_RDONLY | O_DIRECTORY);
    if (fd < 0 || ::flock(fd, LOCK_EX) != 0)
      ::_exit(1);
    ::raise(SIGSTOP);
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, WUNTRACED) == child);
  REQUIRE(WIFSTOPPED(status));
  CHECK(code_of(here.s->put(desired, "pi-1", "two", *first, milliseconds{50})) == ec::timed_out);
  CHECK(here.s->get(desired, "pi-1", ample).value()->value == "one");
  CHECK(here.s->put(bucket::actual_state, "pi-1", "x", 0, ample)); // another bucket, another lock
  CHECK(here.s->beat("pi-1", "x"));
  // Killed, it gives the lock back.
  ::kill(child, SIGKILL);
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(here.s->put(desired, "pi-1", "two", *first, ample));
}

TEST_CASE("directory: what a killed writer left -> taken over, never read or listed") {
  place here;
  write_file(here.root / "desired-state" / ".pi-1.tmp", "half a va");
  hints seen;
  CHECK_FALSE(here.s->get(desired, "pi-1", ample).value());
  CHECK(here.s->keys(desired, ample).value().empty());
  REQUIRE(here.s->put(desired, "pi-1", "one", 0, ample));
  CHECK(here.s->get(desired, "pi-1", ample).value()->value == "one");
  CHECK_FALSE(fs::exists(here.root / "desired-state" / ".pi-1.tmp"));
}

TEST_CASE("directory: entry cut short or replaced by hand -> io_error that names the file") {
  place here;
  REQUIRE(here.s->put(desired, "pi-1", "a longer value", 0, ample));
  const auto file = here.root / "desired-state" / "pi-1";
  const auto content = read_file(file);
  for (const auto& broken : {content.substr(0, content.size() - 3), std::string{},
                             std::string{"{\"apiVersion\":1}\n"}, content.substr(5)}) {
    write_file(file, broken);
    const auto found = here.s->get(desired, "pi-1", ample);
    REQUIRE(code_of(found) == ec::io_error);
    CHECK(found.error().message.find(file.string()) != std::string::npos);
    CHECK(code_of(here.s->put(desired, "pi-1", "x", 1, ample)) == ec::io_error);
  }
  fs::remove(file);
  fs::create_directory(file);
  CHECK(code_of(here.s->get(desired, "pi-1", ample)) == ec::io_error);
  fs::remove(file);
  // A link out of the store is not followed.
  write_file(here.folder / "secret", content);
  fs::create_symlink(here.folder / "secret", file);
  CHECK(code_of(here.s->get(desired, "pi-1", ample)) == ec::io_error);
  // A FIFO does not hang it.
  fs::remove(file);
  REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
  CHECK(code_of(here.s->get(desired, "pi-1", ample)) == ec::io_error);
}

TEST_CASE("directory: file layout -> as docs/stores.md says, closed to others") {
  place here;
  const auto first = here.s->put(desired, "pi-1", "{}\n", 0, ample);
  REQUIRE(first);
  const auto file = here.root / "desired-state" / "pi-1";
  auto content = read_file(file);
  CHECK(content.rfind("harmony-entry/1 revision=1 written=20", 0) == 0);
  CHECK(content.substr(content.find('\n') + 1) == "{}\n");
  REQUIRE(here.s->remove(desired, "pi-1", *first, ample));
  content = read_file(file);
  CHECK(content.rfind("harmony-entry/1 revision=2 written=20", 0) == 0);
  CHECK(content.find(" deleted\n") + 9 == content.size());
  REQUIRE(here.s->beat("pi-1", "{\"seq\":1}"));
  CHECK(read_file(here.root / "hb" / "pi-1") == "{\"seq\":1}");
  for (const auto& path : {here.root, here.root / "desired-state", file, here.root / "hb"}) {
    INFO(path);
    CHECK((fs::status(path).permissions() & fs::perms::others_all) == fs::perms::none);
  }
}

TEST_CASE("directory: read-only or forbidden place -> its own reason") {
  // Both need a user that modes bind: a process of its own, as nobody.
  temp_dir folder;
  fs::permissions(folder.path(), fs::perms::all);
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    if (::getuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0))
      ::_exit(20);
    const auto s = open_connected("dir:" + (folder / "store").string());
    if (!s->prepare(ample))
      ::_exit(21);
    if (::chmod((folder / "store/desired-state").c_str(), 0500) != 0)
      ::_exit(22);
    if (code_of(s->put(desired, "pi-1", "x", 0, ample)) != ec::store_denied)
      ::_exit(23);
    if (::chmod((folder / "store/desired-state").c_str(), 0000) != 0)
      ::_exit(24);
    if (code_of(s->get(desired, "pi-1", ample)) != ec::store_denied)
      ::_exit(25);
    const auto forbidden = open_connected("dir:/root-of-nobody/store");
    if (code_of(forbidden->prepare(ample)) != ec::store_denied)
      ::_exit(26);
    ::_exit(0);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("directory: disk full -> disk_full, the old value stays", "[root]") {
  temp_dir folder;
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) { // in a mount namespace of its own: nothing to unmount
    const auto script = "mount -t tmpfs -o size=256k none '" + folder.str() + "'";
    if (::unshare(CLONE_NEWNS) != 0 || std::system("mount --make-rprivate /") != 0
        || std::system(script.c_str()) != 0)
      ::_exit(20);
    const auto s = open_connected("dir:" + (folder / "store").string());
    if (!s->prepare(ample) || !s->put(desired, "pi-1", "small", 0, ample))
      ::_exit(21);
    if (code_of(s->put(desired, "pi-1", std::string(std::size_t{512} * 1024, 'x'), 1, ample))
        != ec::disk_full)
      ::_exit(22);
    if (s->get(desired, "pi-1", ample).value()->value != "small")
      ::_exit(23);
    if (!s->put(desired, "pi-1", "after", 1, ample)) // what did not fit is gone again
      ::_exit(24);
    ::_exit(0);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("directory: put -> another thread's watcher can read it within milliseconds") {
  place here;
  const auto other = open_connected("dir:" + here.root.string());
  hints seen;
  const auto watching = other->watch(desired, "pi-1", seen.sink());
  REQUIRE(watching);
  REQUIRE(seen.covers(""));
  std::uint64_t revision = 0;
  std::vector<std::chrono::microseconds> took;
  for (int i = 0; i < 51; ++i) {
    seen.box().clear();
    const auto start = std::chrono::steady_clock::now();
    const auto done = here.s->put(desired, "pi-1", std::to_string(i), revision, ample);
    REQUIRE(done);
    revision = *done;
    REQUIRE(seen.covers("pi-1"));
    REQUIRE(other->get(desired, "pi-1", ample).value()->revision == revision);
    took.push_back(std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - start));
  }
  std::sort(took.begin(), took.end());
  INFO("median of put, hint and get: " << took[took.size() / 2].count() << " us");
  CHECK(took[took.size() / 2] < milliseconds{50}); // far above what it takes; polling would not do
}

} // namespace harmony::test

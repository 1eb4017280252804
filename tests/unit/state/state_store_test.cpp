#include "state/state_store.hpp"

#include <fstream>
#include <memory>
#include <string>

#include <SQLiteCpp/SQLiteCpp.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace harmony {
namespace {

using test::temp_dir;

std::unique_ptr<state_store> opened(const std::string& folder) {
  auto store = state_store::open(folder);
  INFO((store ? "" : store.error().message));
  REQUIRE(store.ok());
  return std::move(*store);
}

owned_target file_target(const std::string& name, const std::string& path, bool created = true,
                         const std::string& note = {}) {
  return {{"File", name}, path, created, note};
}

unsigned mode_of(const std::string& path) {
  struct ::stat s {};
  REQUIRE(::lstat(path.c_str(), &s) == 0);
  return s.st_mode & 07777;
}

TEST_CASE("state_store: claims -> there again after reopening") {
  const temp_dir dir;
  const auto folder = (dir / "state").string();
  {
    auto store = opened(folder);
    CHECK(store->all().empty());
    REQUIRE(store->claim(file_target("a", "/etc/a")).ok());
    REQUIRE(store->claim(file_target("a", "/etc/former", false)).ok());
    REQUIRE(store->claim(file_target("b", "/etc/b", true, "note 'quoted'")).ok());
    REQUIRE(store->claim(file_target("gone", "/etc/gone")).ok());
    REQUIRE(store->release({"File", "gone"}, "/etc/gone").ok());
  }
  const auto store = opened(folder);
  CHECK(store->notices().empty());
  CHECK(store->path() == folder);
  CHECK(store->all().size() == 3);
  CHECK(store->of({"File", "a"}).size() == 2);
  CHECK(store->find({"File", "b"}, "/etc/b") == file_target("b", "/etc/b", true, "note 'quoted'"));
  CHECK(store->find({"File", "a"}, "/etc/former") == file_target("a", "/etc/former", false));
  CHECK(store->find({"File", "gone"}, "/etc/gone") == std::nullopt);
  CHECK(store->find({"File", "b"}, "/etc/a") == std::nullopt);
}

TEST_CASE("state_store: fact -> there again after reopening; empty -> gone") {
  const temp_dir dir;
  const auto folder = (dir / "state").string();
  {
    auto store = opened(folder);
    CHECK(store->fact("keys").value().empty());
    REQUIRE(store->save_fact("keys", "one").ok());
    REQUIRE(store->save_fact("keys", "two").ok());
  }
  CHECK(state_store::in_memory_from(folder)->fact("keys").value() == "two");
  const auto store = opened(folder);
  CHECK(store->fact("keys").value() == "two");
  CHECK_FALSE(store->rebuilding());
  REQUIRE(store->save_fact("keys", "").ok());
  CHECK(store->fact("keys").value().empty());
}

TEST_CASE("state_store: claim of another resource's target -> NameConflict, nothing changed") {
  auto store = state_store::in_memory();
  REQUIRE(store->claim(file_target("a", "/etc/a")).ok());
  const auto second = store->claim(file_target("b", "/etc/a"));
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().code == ec::name_conflict);
  CHECK(second.error().message.find("'/etc/a' is already managed by File/a") != std::string::npos);
  CHECK(store->all() == std::vector{file_target("a", "/etc/a")});
  REQUIRE(store->release({"File", "a"}, "/etc/a").ok());
  CHECK(store->claim(file_target("b", "/etc/a")).ok());
}

TEST_CASE("state_store: same claim again -> replaced, or no write when equal") {
  auto store = state_store::in_memory();
  REQUIRE(store->claim(file_target("a", "/etc/a")).ok());
  const auto before = store->commits();
  REQUIRE(store->claim(file_target("a", "/etc/a")).ok());
  REQUIRE(store->release({"File", "unknown"}, "/etc/a").ok());
  REQUIRE(store->release({"File", "a"}, "/etc/unknown").ok());
  CHECK(store->commits() == before);
  REQUIRE(store->claim(file_target("a", "/etc/a", false, "stamp")).ok());
  CHECK(store->commits() == before + 1);
  CHECK(store->all() == std::vector{file_target("a", "/etc/a", false, "stamp")});
}

TEST_CASE("state_store: one name in two spaces -> two owners; one path -> one") {
  const auto store = state_store::in_memory();
  REQUIRE(store->claim({{"Package", "p"}, "web", true, {}}).ok());
  REQUIRE(store->claim({{"User", "u"}, "web", true, {}}).ok());
  CHECK(store->claim({{"User", "v"}, "web", true, {}}).error().code == ec::name_conflict);
  REQUIRE(store->claim({{"File", "f"}, "/web", true, {}}).ok());
  CHECK(store->claim({{"Directory", "d"}, "/web", true, {}}).error().code == ec::name_conflict);
  CHECK(store->all().size() == 3);
}

TEST_CASE(
  "state_store: endings and counters -> kept, and the newest that converged outlives the rest") {
  const temp_dir dir;
  const resource_id a{"File", "a"};
  {
    auto store = opened(dir.str());
    for (generation_number g = 1; g <= 20; ++g) {
      REQUIRE(store->save_accepted(g, 1, "h", "d" + std::to_string(g)).ok());
      REQUIRE(store
                ->save_ending(
                  g, 1, g == 3 ? generation_ending::converged : generation_ending::rolled_back,
                  g == 3 ? "" : "why")
                .ok());
    }
    REQUIRE(store->remember(a, {"x", 3, 2}).ok());
    REQUIRE(store->remember({"File", "b"}, {"y", 1, 0}).ok());
    REQUIRE(store->forget({"File", "b"}).ok());
  }
  const auto store = opened(dir.str());
  const auto history = store->history().value();
  REQUIRE(history.size() == state_store::history_length + 1);
  CHECK(history.back().generation == 3);
  CHECK(history.back().ending == generation_ending::converged);
  CHECK(history.front().why == "why");
  CHECK(store->recall(a) == retry_counts{"x", 3, 2});
  CHECK(store->recall({"File", "b"}) == retry_counts{});
}

TEST_CASE("state_store: accepted manifests -> newest first, ten kept, exact bytes") {
  const temp_dir dir;
  const std::string bytes{"{\"a\":\"\0\xff'\"}", 11};
  {
    auto store = opened(dir.str());
    REQUIRE(store->accepted().ok());
    CHECK_FALSE(store->accepted()->has_value());
    for (generation_number g = 1; g <= 13; ++g)
      REQUIRE(store->save_accepted(g, 2, "sha256:" + std::to_string(g), bytes).ok());
  }
  const auto store = opened(dir.str());
  const auto newest = store->accepted();
  REQUIRE(newest.ok());
  REQUIRE(newest->has_value());
  CHECK((*newest)->generation == 13);
  CHECK((*newest)->key_epoch == 2);
  CHECK((*newest)->hash == "sha256:13");
  CHECK((*newest)->document == bytes);
  CHECK((*newest)->accepted_at.time_since_epoch().count() > 1'600'000'000'000);
  const auto history = store->history();
  REQUIRE(history.ok());
  REQUIRE(history->size() == state_store::history_length);
  CHECK(history->front().generation == 13);
  CHECK(history->back().generation == 4);
}

TEST_CASE("state_store: new folder -> private folder, database and side files") {
  const temp_dir dir;
  const auto store = opened((dir / "deep/state").string());
  REQUIRE(store->claim(file_target("a", "/etc/a")).ok());
  CHECK(mode_of((dir / "deep/state").string()) == 0700);
  CHECK(mode_of((dir / "deep/state/state.db").string()) == 0600);
  CHECK(mode_of((dir / "deep/state/state.db-wal").string()) == 0600);
  CHECK(mode_of((dir / "deep/state/lock").string()) == 0600);
}

TEST_CASE("state_store: folder open to others -> used as it is, with a notice") {
  const temp_dir dir;
  REQUIRE(::chmod(dir.str().c_str(), 0755) == 0);
  const auto store = opened(dir.str());
  REQUIRE(store->notices().size() == 1);
  CHECK(store->notices()[0].message.find("chmod 700") != std::string::npos);
  CHECK(mode_of(dir.str()) == 0755);
}

TEST_CASE("state_store: durable settings -> WAL and synchronous FULL") {
  const temp_dir dir;
  const auto store = opened(dir.str());
  SQLite::Database other{(dir / "state.db").string(), SQLite::OPEN_READONLY};
  CHECK(other.execAndGet("PRAGMA journal_mode").getString() == "wal");
  CHECK(other.execAndGet("PRAGMA user_version").getInt() == 4);
}

TEST_CASE("state_store: damaged database -> set aside, new one begun, notice") {
  const temp_dir dir;
  const auto file = (dir / "state.db").string();
  const auto content = GENERATE(as<std::string>{}, "this is not a database, not at all",
                                std::string(100, '\0'), std::string(9000, 'x'));
  for (int round = 1; round <= 2; ++round) {
    std::ofstream{file, std::ios::binary | std::ios::trunc} << content;
    const auto store = opened(dir.str());
    REQUIRE(store->notices().size() == 1);
    const auto aside = file + ".corrupt-" + std::to_string(round);
    CHECK(store->notices()[0].message.find("'" + aside + "'") != std::string::npos);
    std::ifstream kept{aside, std::ios::binary};
    CHECK(std::string{std::istreambuf_iterator<char>{kept}, {}} == content);
    CHECK(store->claim(file_target("a", "/etc/a")).ok());
  }
}

TEST_CASE("state_store: damaged page in the middle -> set aside") {
  const temp_dir dir;
  {
    auto store = opened(dir.str());
    for (int i = 0; i < 200; ++i)
      REQUIRE(store->claim(file_target("f" + std::to_string(i), "/etc/" + std::to_string(i))).ok());
  }
  int root = 0; // the page that the b-tree of the inventory begins at
  {
    SQLite::Database db{(dir / "state.db").string()};
    root = db.execAndGet("SELECT rootpage FROM sqlite_master WHERE name = 'inventory'").getInt();
  }
  {
    std::fstream db{(dir / "state.db").string(), std::ios::in | std::ios::out | std::ios::binary};
    db.seekp(4096 * (root - 1) + 8);
    db << std::string(4000, '\x7f');
  }
  const auto store = opened(dir.str());
  CHECK(store->notices().size() == 1);
  CHECK(store->all().empty());
}

TEST_CASE("state_store: schema of a newer agent -> set aside untouched") {
  const temp_dir dir;
  opened(dir.str()).reset();
  {
    SQLite::Database db{(dir / "state.db").string(), SQLite::OPEN_READWRITE};
    db.exec("PRAGMA user_version=7; CREATE TABLE future (x)");
  }
  const auto store = opened(dir.str());
  REQUIRE(store->notices().size() == 1);
  CHECK(store->notices()[0].message.find("schema 7 is newer than this agent's 4")
        != std::string::npos);
  SQLite::Database kept{(dir / "state.db.corrupt-1").string(), SQLite::OPEN_READONLY};
  CHECK(kept.execAndGet("PRAGMA user_version").getInt() == 7);
  CHECK(kept.tableExists("future"));
}

TEST_CASE("state_store: folder in use by another process -> NameConflict with its pid") {
  const temp_dir dir;
  int ready[2];
  int stay[2];
  REQUIRE(::pipe(ready) == 0);
  REQUIRE(::pipe(stay) == 0);
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::close(stay[1]);
    auto held = state_store::open(dir.str());
    char byte = held ? 'y' : 'n';
    (void)!::write(ready[1], &byte, 1);
    (void)!::read(stay[0], &byte, 1); // until the parent closes its end
    ::_exit(0);
  }
  ::close(stay[0]);
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  REQUIRE(byte == 'y');
  const auto second = state_store::open(dir.str());
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().code == ec::name_conflict);
  CHECK(second.error().message.find("(pid " + std::to_string(child) + ")") != std::string::npos);
  ::close(stay[1]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(state_store::open(dir.str()).ok());
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("state_store: process killed right after a claim -> claim is there") {
  const temp_dir dir;
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto store = state_store::open(dir.str());
    const bool ok = store && (*store)->claim({{"File", "a"}, "/etc/a"})
                    && (*store)->save_accepted(3, 1, "h", "doc");
    if (!ok)
      ::_exit(1);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  const auto store = opened(dir.str());
  CHECK(store->notices().empty());
  CHECK(store->find({"File", "a"}, "/etc/a").has_value());
  CHECK((*store->accepted())->generation == 3);
}

TEST_CASE("state_store: state folder cannot be made -> failure that names it") {
  const temp_dir dir;
  std::ofstream{(dir / "file").string()} << "x";
  const auto below_a_file = state_store::open((dir / "file/state").string());
  REQUIRE_FALSE(below_a_file.ok());
  CHECK(below_a_file.error().message.find((dir / "file").string()) != std::string::npos);
  const auto is_a_file = state_store::open((dir / "file").string());
  REQUIRE_FALSE(is_a_file.ok());
  CHECK(is_a_file.error().message.find("Not a directory") != std::string::npos);
  const auto read_only = state_store::open("/proc/harmony-state");
  REQUIRE_FALSE(read_only.ok());
}

TEST_CASE("state_store: in memory -> works, has no path, forgets") {
  auto store = state_store::in_memory();
  CHECK(store->path().empty());
  REQUIRE(store->claim(file_target("a", "/etc/a")).ok());
  REQUIRE(store->save_accepted(1, 1, "h", "doc").ok());
  CHECK(store->all().size() == 1);
  CHECK((*store->accepted())->document == "doc");
  CHECK(state_store::in_memory()->all().empty());
}

} // namespace
} // namespace harmony

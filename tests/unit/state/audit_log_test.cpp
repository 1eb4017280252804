#include "state/audit_log.hpp"

#include <sys/stat.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "state/audit_file.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

audit_event event_of(std::string result = {}) {
  return {"job-ended", "ShellJob/once", "sha256:1", "rollout/7", "store", {}, std::move(result)};
}

audit_record record_of(std::string result = {}) {
  audit_record r;
  r.what = event_of(std::move(result));
  return r;
}

struct bed {
  [[nodiscard]] std::string path() const { return (folder / "audit.log").string(); }
  audit_surroundings around() {
    return {[] { return timestamp{}; }, [] { return std::uint64_t{42}; },
            [this](const std::string&) { ++echoes; }};
  }
  [[nodiscard]] audit_verdict verify(bool whole = true) const {
    const auto files = read_audit_files(path());
    REQUIRE(files);
    audit_verifier v;
    for (const auto& each : *files)
      v.take(each.content, each.name);
    return v.verdict(whole);
  }
  /// Appends to the file what is no record of the log's own.
  void scribble(const std::string& text) const {
    std::ofstream{path(), std::ios::app | std::ios::binary} << text;
  }

  temp_dir folder;
  std::atomic<int> echoes{0};
};

audit_limits small() {
  audit_limits l;
  l.most_bytes = 1000;
  l.files = 3;
  l.most_waiting = 4;
  l.first_retry = 5ms;
  l.longest_retry = 10ms;
  return l;
}

} // namespace

TEST_CASE("audit log: events -> a chain that begins by itself, mode 0600, echoed once durable") {
  bed b;
  audit_log log{b.path(), b.around()};
  REQUIRE(log.append(event_of("a")));
  REQUIRE(log.append(event_of("b")));
  const auto v = b.verify();
  CHECK(v.fault.empty());
  CHECK(v.intact);
  CHECK(v.records == 3);
  CHECK(b.echoes == 3);
  CHECK(read_file(b.path()).find("\"seq\":1,\"time\":\"1970-01-01T00:00:00.000Z\",\"uptime\":42,"
                                 "\"event\":\"audit-begun\",\"via\":\"agent\"")
        != std::string::npos);
  struct stat info {};
  REQUIRE(::stat(b.path().c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0600U);
}

TEST_CASE("audit log: noted from many threads -> each kept, one chain") {
  bed b;
  {
    audit_log log{b.path(), b.around()};
    std::vector<std::thread> all;
    for (int i = 0; i < 8; ++i)
      all.emplace_back([&log] {
        for (int n = 0; n < 20; ++n)
          log.note(event_of());
      });
    for (auto& each : all)
      each.join();
  } // its end waits for what waits
  CHECK(b.verify().intact);
  CHECK(b.verify().records == 161);
}

TEST_CASE("audit log: opened again -> goes on where it was") {
  bed b;
  for (int i = 0; i < 3; ++i)
    CHECK(audit_log(b.path(), b.around()).append(event_of()));
  CHECK(b.verify().intact);
  CHECK(b.verify().records == 4);
}

TEST_CASE("audit log: files at their limit -> set aside, one chain over all, the total bounded") {
  bed b;
  audit_log log{b.path(), b.around(), small()};
  for (int i = 0; i < 5; ++i)
    REQUIRE(log.append(event_of(std::string(100, 'x'))));
  CHECK(b.verify().intact);
  CHECK(b.verify().first == 1);
  for (int i = 0; i < 60; ++i)
    REQUIRE(log.append(event_of(std::string(100, 'x'))));
  const auto v = b.verify(false);
  CHECK(v.fault.empty());
  CHECK(v.head.sequence == 66);
  CHECK(v.first > 40);
  std::size_t total = 0;
  std::size_t files = 0;
  for (const auto& each : fs::directory_iterator{b.folder.path()}) {
    total += fs::file_size(each);
    ++files;
  }
  CHECK(files == 3);
  CHECK(total < 3 * (1000 + 500));
}

TEST_CASE("audit log: killed between the steps of a rotation -> the chain goes on") {
  bed b;
  audit_chain_file file{b.path(), small()};
  for (int i = 0; i < 3; ++i)
    REQUIRE(file.append({record_of(std::string(100, 'x'))}, {}));
  fs::rename(b.path(), b.path() + ".1"); // and no new file yet
  REQUIRE(file.append({record_of()}, {}));
  CHECK(b.verify().intact);
  CHECK(b.verify().head.sequence == 5);
  fs::rename(b.path() + ".1", b.path() + ".2"); // a hole
  REQUIRE(file.append({record_of()}, {}));
  CHECK(b.verify().intact);
}

TEST_CASE("audit log: torn at any byte of its last line -> healed by a record that says so") {
  bed first;
  audit_chain_file whole{first.path(), small()};
  REQUIRE(whole.append({record_of("a")}, {}));
  const auto before = read_file(first.path());
  REQUIRE(whole.append({record_of("b")}, {}));
  const auto all = read_file(first.path());
  for (auto kept = before.size(); kept <= all.size(); ++kept) {
    INFO(kept);
    bed b;
    write_file(b.path(), all.substr(0, kept));
    audit_chain_file file{b.path(), small()};
    const auto lines = file.append({record_of("c")}, {});
    REQUIRE(lines);
    const auto v = b.verify();
    CHECK(v.fault.empty());
    const bool torn = kept > before.size() && kept + 1 < all.size();
    CHECK(v.healed == (torn ? 1 : 0));
    CHECK(lines->size() == (torn ? 2 : 1));
    // Nothing is taken away.
    CHECK(read_file(b.path()).rfind(all.substr(0, kept), 0) == 0);
  }
}

TEST_CASE("audit log: blocks that were never written at its end -> healed; a line that somebody "
          "wrote -> not, and found") {
  bed b;
  audit_chain_file file{b.path(), small()};
  REQUIRE(file.append({record_of("a")}, {}));
  b.scribble(std::string(300, '\0'));
  REQUIRE(file.append({record_of("b")}, {}));
  CHECK(b.verify().intact);
  CHECK(b.verify().healed == 1);
  b.scribble("somebody was here\n");
  REQUIRE(file.append({record_of("c")}, {}));
  CHECK_FALSE(b.verify().intact);
}

TEST_CASE("audit log: changed by hand -> goes on, and the break stays to be found") {
  bed b;
  audit_chain_file file{b.path(), audit_limits{}};
  for (const char* result : {"a", "b", "c", "d"})
    REQUIRE(file.append({record_of(result)}, {}));
  auto text = read_file(b.path());
  text.replace(text.find(R"("result":"b")"), 12, R"("result":"x")");
  write_file(b.path(), text);
  REQUIRE(file.append({record_of("e")}, {}));
  CHECK(b.verify().fault
        == "audit.log:4: record 4 does not stand on the line before it: one of the two was "
           "changed");
}

TEST_CASE("audit log: folder that is not there, link in its place -> append fails, nobody waits") {
  bed b;
  audit_log nowhere{(b.folder / "no" / "audit.log").string(), b.around(), small()};
  CHECK_FALSE(nowhere.append(event_of()));
  fs::create_symlink(b.folder / "elsewhere", b.path());
  audit_log linked{b.path(), b.around(), small()};
  CHECK_FALSE(linked.append(event_of()));
  CHECK_FALSE(fs::exists(b.folder / "elsewhere"));
  CHECK(b.echoes == 0);
}

TEST_CASE("audit log: cannot be written -> events wait, those without room are counted and told of "
          "once it can") {
  bed b;
  const auto folder = b.folder / "later";
  const auto path = (folder / "audit.log").string();
  std::mutex mutex;
  std::vector<audit_health> told;
  audit_log log{path, b.around(), small()};
  log.watch_health([&](const audit_health& h) {
    const std::lock_guard lock{mutex};
    told.push_back(h);
  });
  for (int i = 0; i < 10; ++i)
    log.note(event_of(std::to_string(i)));
  const auto last = [&] {
    const std::lock_guard lock{mutex};
    return told.empty() ? audit_health{} : told.back();
  };
  CHECK(eventually([&] { return !last().writing && last().lost > 0; }, 5s));
  fs::create_directory(folder);
  CHECK(eventually([&] { return last().writing.ok(); }, 5s));
  REQUIRE(log.append(event_of("after")));
  const auto files = read_audit_files(path);
  REQUIRE(files);
  audit_verifier v;
  for (const auto& each : *files)
    v.take(each.content, each.name);
  const auto seen = v.verdict(true);
  CHECK(seen.fault.empty());
  CHECK(seen.lost > 0);
  CHECK(seen.lost == last().lost);
  // Each event is there or counted; the chain's own are its beginning and the gap.
  CHECK(seen.records + seen.lost == 10 + 1 + 2);
}

TEST_CASE("audit log: a disk that hangs -> noting and ending do not") {
  bed b;
  struct gate {
    std::mutex mutex;
    std::condition_variable opened;
    bool open = false;
  };
  const auto disk = std::make_shared<gate>(); // outlives this, with the thread
  audit_surroundings around{[] { return timestamp{}; }, [] { return std::uint64_t{}; },
                            [disk](const std::string&) { // of the thread that writes
                              std::unique_lock lock{disk->mutex};
                              disk->opened.wait(lock, [&] { return disk->open; });
                            }};
  const auto begin = std::chrono::steady_clock::now();
  {
    audit_log log{b.path(), around, small()};
    for (int i = 0; i < 100; ++i)
      log.note(event_of());
  }
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
  const std::lock_guard lock{disk->mutex};
  disk->open = true;
  disk->opened.notify_all();
}

} // namespace harmony::test

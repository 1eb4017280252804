#include "reconcilers/file.hpp"

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "topology/files_digest.hpp"
#include "unit/reconcilers/file_world.hpp"

namespace harmony {
namespace {

using test::file_world;
using test::plain_inventory;

struct device_without_files {};

template <class T>
concept can_manage_files = requires {
  typename file_reconciler<T>;
};

static_assert(can_manage_files<posix_device>);
static_assert(!can_manage_files<device_without_files>);
static_assert(reconciler<file_reconciler<posix_device>>);

/// One resource `File/motd` on a real file system.
struct fixture {
  file_world world;
  plain_inventory owned;
  posix_device device;
  file_reconciler<posix_device> files{device};
  std::stop_source stop;
  op_context ctx{"pi-0042", owned, stop.get_token()};
  desired<file_spec> want{{"File", "motd"}, {}, {}, {}};

  fixture() {
    want.spec.path = world / "motd";
    want.spec.content = "hello\n";
  }

  outcome<std::vector<change>> plan() {
    auto seen = files.observe(want, ctx);
    if (!seen)
      return seen.error();
    return files.plan(want, *seen);
  }

  /// Observe, plan, apply, as a supervisor does.
  outcome<void> converge() {
    auto todo = plan();
    if (!todo)
      return todo.error();
    return todo->empty() ? outcome<void>{} : files.apply(want, *todo, ctx);
  }

  [[nodiscard]] std::optional<owned_target> record() const {
    return owned.find(want.id, want.spec.path);
  }

  outcome<void> remove() {
    return files.remove(record().value_or(owned_target{want.id, want.spec.path}), ctx);
  }
};

void check_ok(const outcome<void>& done) {
  INFO((done ? "" : done.error().message));
  CHECK(done.ok());
}

void check_converged(fixture& f) {
  const auto todo = f.plan();
  INFO((todo ? "" : todo.error().message));
  REQUIRE(todo.ok());
  CHECK(todo->empty());
}

void check_failure(const outcome<void>& done, ec code, const std::string& words) {
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == code);
  INFO(done.error().message);
  CHECK(done.error().message.find(words) != std::string::npos);
}

TEST_CASE("file: absent -> created with content and mode, claimed, then converged") {
  fixture f;
  f.want.spec.mode = "0640";
  check_ok(f.converge());
  CHECK(f.world.read("motd") == "hello\n");
  CHECK(f.world.mode("motd") == 0640);
  CHECK(f.record() == owned_target{f.want.id, f.want.spec.path, true, {}});
  CHECK(f.world.names() == std::vector<std::string>{"motd"});
  check_converged(f);
}

TEST_CASE("file: applied twice -> the same, without a new file") {
  fixture f;
  const auto todo = f.plan();
  REQUIRE(todo.ok());
  check_ok(f.files.apply(f.want, *todo, f.ctx));
  check_ok(f.files.apply(f.want, *todo, f.ctx));
  CHECK(f.world.read("motd") == "hello\n");
  CHECK(f.owned.claims == 1);
}

TEST_CASE("file: content differs -> replaced whole, a reader keeps the old one") {
  fixture f;
  check_ok(f.converge());
  const auto before = f.world.stat("motd").st_ino;
  std::ifstream reader{f.world / "motd"};
  f.want.spec.content = "changed\n";
  check_ok(f.converge());
  CHECK(f.world.read("motd") == "changed\n");
  CHECK(f.world.stat("motd").st_ino != before);
  CHECK(std::string{std::istreambuf_iterator<char>{reader}, {}} == "hello\n");
}

TEST_CASE("file: only the mode differs -> changed in place, content not rewritten") {
  fixture f;
  check_ok(f.converge());
  const auto before = f.world.stat("motd");
  f.want.spec.mode = "0600";
  check_ok(f.converge());
  const auto after = f.world.stat("motd");
  CHECK((after.st_mode & 07777) == 0600);
  CHECK(after.st_ino == before.st_ino);
  CHECK(after.st_mtim.tv_sec == before.st_mtim.tv_sec);
  CHECK(after.st_mtim.tv_nsec == before.st_mtim.tv_nsec);
  check_converged(f);
}

TEST_CASE("file: drift by content, mode, deletion, symlink -> healed") {
  fixture f;
  check_ok(f.converge());
  f.world.write("elsewhere", "precious");
  const auto path = f.want.spec.path;
  SECTION("content") {
    f.world.write("motd", "edited by hand");
  }
  SECTION("mode") {
    REQUIRE(::chmod(path.c_str(), 0777) == 0);
  }
  SECTION("deleted") {
    REQUIRE(::unlink(path.c_str()) == 0);
  }
  SECTION("a symlink in its place") {
    REQUIRE(::unlink(path.c_str()) == 0);
    REQUIRE(::symlink((f.world / "elsewhere").c_str(), path.c_str()) == 0);
  }
  const auto todo = f.plan();
  REQUIRE(todo.ok());
  CHECK_FALSE(todo->empty());
  check_ok(f.files.apply(f.want, *todo, f.ctx));
  CHECK(f.world.read("motd") == "hello\n");
  CHECK(S_ISREG(f.world.stat("motd").st_mode));
  CHECK(f.world.mode("motd") == 0644);
  CHECK(f.world.read("elsewhere") == "precious");
  check_converged(f);
}

TEST_CASE("file: base64 with zeros -> those bytes") {
  fixture f;
  f.want.spec.content.reset();
  f.want.spec.content_base64 = "AAH/aGk=";
  check_ok(f.converge());
  CHECK(f.world.read("motd") == std::string("\0\x01\xffhi", 5));
  check_converged(f);
  f.want.spec.content_base64 = "not base64!";
  check_failure(f.converge(), ec::invalid_spec, "is not base64");
}

TEST_CASE("file: content of several pieces -> whole, and reported by its hash") {
  fixture f;
  f.want.spec.content = std::string((3U << 20) + 17, 'x');
  check_ok(f.converge());
  CHECK(f.world.read("motd") == *f.want.spec.content);
  const auto seen = f.files.observe(f.want, f.ctx);
  REQUIRE(seen.ok());
  CHECK(std::get<file_state>(f.files.report(*seen))
        == file_state{"sha256:" + sha256_of(*f.want.spec.content), "0644"});
}

TEST_CASE("file: foreign and different -> NameConflict, untouched, not claimed") {
  fixture f;
  f.world.write("motd", "somebody's", 0600);
  check_failure(f.converge(), ec::name_conflict, "differs in content and mode");
  const auto todo = std::vector<change>{{action::create, "content", {}, {}}};
  check_failure(f.files.apply(f.want, todo, f.ctx), ec::name_conflict, "set adopt: true");
  CHECK(f.world.read("motd") == "somebody's");
  CHECK(f.world.mode("motd") == 0600);
  CHECK(f.owned.all().empty());
}

TEST_CASE("file: foreign and equal -> converged, stays foreign, survives the removal") {
  fixture f;
  f.world.write("motd", "hello\n");
  check_converged(f);
  check_ok(f.remove());
  CHECK(f.world.read("motd") == "hello\n");
  CHECK(f.owned.claims == 0);
}

TEST_CASE("file: adopt -> taken over and changed, left in place when it goes") {
  fixture f;
  f.world.write("motd", "somebody's");
  f.want.spec.adopt = true;
  check_ok(f.converge());
  CHECK(f.world.read("motd") == "hello\n");
  REQUIRE(f.record().has_value());
  CHECK_FALSE(f.record()->created);
  check_converged(f);
  check_ok(f.remove());
  CHECK(f.world.read("motd") == "hello\n");
  CHECK_FALSE(f.record().has_value());
}

TEST_CASE("file: adopt of another type -> NameConflict") {
  fixture f;
  f.want.spec.adopt = true;
  const auto path = f.want.spec.path;
  std::string words;
  SECTION("directory") {
    REQUIRE(::mkdir(path.c_str(), 0755) == 0);
    words = "is a directory, not a file";
  }
  SECTION("FIFO") {
    REQUIRE(::mkfifo(path.c_str(), 0644) == 0);
    words = "is a FIFO, not a file";
  }
  SECTION("symlink") {
    f.world.write("elsewhere", "hello\n");
    REQUIRE(::symlink("elsewhere", path.c_str()) == 0);
    words = "is a symlink, not a file";
  }
  check_failure(f.converge(), ec::name_conflict, words);
  CHECK(f.owned.all().empty());
}

TEST_CASE("file: owned, and now a directory with things in it -> NameConflict, nothing lost") {
  fixture f;
  check_ok(f.converge());
  REQUIRE(::unlink(f.want.spec.path.c_str()) == 0);
  REQUIRE(::mkdir(f.want.spec.path.c_str(), 0755) == 0);
  f.world.write("motd/inside", "x");
  check_failure(f.converge(), ec::name_conflict, "is a directory");
  CHECK(f.world.read("motd/inside") == "x");
}

TEST_CASE("file: FIFO in its place -> looked at without hanging") {
  fixture f;
  check_ok(f.converge());
  REQUIRE(::unlink(f.want.spec.path.c_str()) == 0);
  REQUIRE(::mkfifo(f.want.spec.path.c_str(), 0644) == 0);
  const auto seen = f.files.observe(f.want, f.ctx);
  REQUIRE(seen.ok());
  CHECK(seen->found.type == file_type::fifo);
  CHECK(std::get<file_state>(f.files.report(*seen)) == file_state{});
}

TEST_CASE("file: appeared between plan and apply -> NameConflict, claim given back") {
  fixture f;
  const auto todo = f.plan();
  REQUIRE(todo.ok());
  f.world.write("motd", "somebody's");
  check_failure(f.files.apply(f.want, *todo, f.ctx), ec::name_conflict, "meanwhile");
  CHECK(f.world.read("motd") == "somebody's");
  CHECK(f.owned.all().empty());
}

TEST_CASE("file: second name of somebody's file -> that one keeps its mode") {
  fixture f;
  check_ok(f.converge());
  f.world.write("secret", "hello\n", 0600);
  REQUIRE(::unlink(f.want.spec.path.c_str()) == 0);
  REQUIRE(::link((f.world / "secret").c_str(), f.want.spec.path.c_str()) == 0);
  check_ok(f.converge());
  CHECK(f.world.mode("secret") == 0600);
  CHECK(f.world.mode("motd") == 0644);
  CHECK(f.world.stat("motd").st_nlink == 1);
}

TEST_CASE("file: parent missing -> told to add a Directory") {
  fixture f;
  f.want.spec.path = f.world / "conf.d/deeper/motd";
  check_failure(f.converge(), ec::not_found, "add a Directory resource");
  CHECK(f.owned.all().empty());
  CHECK(f.world.names().empty());
}

TEST_CASE("file: parent is a symlink -> UnsafePath that says what to write") {
  fixture f;
  REQUIRE(::mkdir((f.world / "real").c_str(), 0755) == 0);
  const auto absolute = GENERATE(false, true);
  const auto target = absolute ? f.world / "real" : std::string{"./x/../real"};
  REQUIRE(::symlink(target.c_str(), (f.world / "link").c_str()) == 0);
  f.want.spec.path = f.world / "link/motd";
  check_failure(f.converge(), ec::unsafe_path, "write '" + (f.world / "real") + "' instead of");
  CHECK_FALSE(f.world.exists("real/motd"));
}

TEST_CASE("file: parent swapped for a symlink after it was made -> not followed") {
  fixture f;
  REQUIRE(::mkdir((f.world / "dir").c_str(), 0755) == 0);
  REQUIRE(::mkdir((f.world / "victim").c_str(), 0755) == 0);
  f.world.write("victim/motd", "precious");
  f.want.spec.path = f.world / "dir/motd";
  check_ok(f.converge());
  REQUIRE(::rename((f.world / "dir").c_str(), (f.world / "moved").c_str()) == 0);
  REQUIRE(::symlink("victim", (f.world / "dir").c_str()) == 0);
  f.want.spec.content = "attack";
  check_failure(f.converge(), ec::unsafe_path, "symlinks are not followed");
  const std::vector<change> todo{{action::update, "content", {}, {}}};
  check_failure(f.files.apply(f.want, todo, f.ctx), ec::unsafe_path, "symlinks are not followed");
  check_ok(f.remove());
  CHECK(f.world.read("victim/motd") == "precious");
  CHECK_FALSE(f.record().has_value());
}

TEST_CASE("file: parent is a file -> UnsafePath") {
  fixture f;
  f.world.write("plain", "x");
  f.want.spec.path = f.world / "plain/motd";
  check_failure(f.converge(), ec::unsafe_path, "is not a folder");
}

TEST_CASE("file: path that is none -> InvalidSpec or UnsafePath") {
  fixture f;
  const auto root = f.world.root();
  const std::vector<std::pair<std::string, ec>> rows{
    {"", ec::invalid_spec},           {"relative", ec::invalid_spec},
    {"/", ec::invalid_spec},          {root + "/x/", ec::invalid_spec},
    {root + "/..", ec::invalid_spec}, {root + "/../x", ec::unsafe_path},
  };
  for (const auto& [path, code] : rows) {
    f.want.spec.path = path;
    check_failure(f.converge(), code, "absolute path");
  }
}

TEST_CASE("file: no such user or group -> NoSuchUser, nothing made") {
  fixture f;
  SECTION("user") {
    f.want.spec.owner = "no-such-user";
  }
  SECTION("group") {
    f.want.spec.group = "no-such-group";
  }
  SECTION("number without an entry and without a group") {
    f.want.spec.owner = "61234";
  }
  check_failure(f.converge(), ec::no_such_user, "does not exist on this device");
  CHECK(f.world.names().empty());
}

TEST_CASE("file: claim refused -> nothing made") {
  fixture f;
  f.owned.refuse = failure{ec::disk_full, "no room"};
  check_failure(f.converge(), ec::disk_full, "no room");
  CHECK(f.world.names().empty());
}

TEST_CASE("file: canceled or late -> said so, nothing left") {
  fixture f;
  f.want.spec.content = std::string(2U << 20, 'x');
  const auto todo = f.plan();
  REQUIRE(todo.ok());
  SECTION("canceled") {
    f.stop.request_stop();
    check_failure(f.files.apply(f.want, *todo, f.ctx), ec::canceled, "interrupted");
  }
  SECTION("late") {
    f.ctx.deadline = std::chrono::steady_clock::now();
    check_failure(f.files.apply(f.want, *todo, f.ctx), ec::timed_out, "");
  }
  CHECK(f.world.names().empty());
  CHECK(f.owned.all().empty());
}

TEST_CASE("file: temporary of a killed agent -> seen, and gone after the next apply") {
  fixture f;
  check_ok(f.converge());
  const auto name = ".harmony-" + sha256_of("pi-0042/motd").substr(0, 16);
  f.world.write(name, "half of it");
  SECTION("nothing else to do") {
    const auto todo = f.plan();
    REQUIRE(todo.ok());
    REQUIRE(todo->size() == 1);
    CHECK((*todo)[0].what == action::remove);
    check_ok(f.files.apply(f.want, *todo, f.ctx));
  }
  SECTION("with new content") {
    f.want.spec.content = "new\n";
    check_ok(f.converge());
  }
  SECTION("when the resource goes") {
    check_ok(f.remove());
  }
  CHECK_FALSE(f.world.exists(name));
}

TEST_CASE("file: remove -> only what this resource created") {
  fixture f;
  SECTION("its file") {
    check_ok(f.converge());
    check_ok(f.remove());
    CHECK(f.world.names().empty());
  }
  SECTION("twice") {
    check_ok(f.converge());
    const auto record = *f.record();
    check_ok(f.files.remove(record, f.ctx));
    f.world.write("motd", "somebody's, later");
    check_ok(f.files.remove(record, f.ctx));
    CHECK(f.world.read("motd") == "somebody's, later");
  }
  SECTION("gone already, its folder too") {
    REQUIRE(::mkdir((f.world / "d").c_str(), 0755) == 0);
    f.want.spec.path = f.world / "d/motd";
    check_ok(f.converge());
    std::filesystem::remove_all(f.world / "d");
    check_ok(f.remove());
  }
  SECTION("a directory or a FIFO by now") {
    check_ok(f.converge());
    REQUIRE(::unlink(f.want.spec.path.c_str()) == 0);
    const bool fifo = GENERATE(true, false);
    const auto made =
      fifo ? ::mkfifo(f.want.spec.path.c_str(), 0644) : ::mkdir(f.want.spec.path.c_str(), 0755);
    REQUIRE(made == 0);
    check_ok(f.remove());
    CHECK(f.world.exists("motd"));
  }
  CHECK(f.owned.all().empty());
}

TEST_CASE("file: second operation on a path -> waits for the first, until its deadline") {
  turns all;
  auto first = all.take("/etc/motd", {});
  REQUIRE(first.ok());
  CHECK(all.take("/etc/other", {}).ok());
  const auto soon = std::chrono::steady_clock::now() + std::chrono::milliseconds{20};
  const auto late = all.take("/etc/motd", {{}, soon});
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().code == ec::timed_out);
  std::stop_source stop;
  outcome<void> canceled;
  std::thread waiter{[&] {
    const auto turn = all.take("/etc/motd", {stop.get_token()});
    canceled = turn ? outcome<void>{} : turn.error();
  }};
  stop.request_stop();
  waiter.join();
  check_failure(canceled, ec::canceled, "an earlier operation");
  { const auto ended = std::move(*first); }
  CHECK(all.take("/etc/motd", {}).ok());
}

} // namespace
} // namespace harmony

// What must not happen: other people's files touched, symlinks followed, something left over.

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "topology/files_digest.hpp"
#include "unit/reconcilers/file_fixture.hpp"

namespace harmony {
namespace {

using test::check_failure;
using test::check_ok;
using test::file_fixture;

TEST_CASE("file: appeared between plan and apply -> NameConflict, claim given back") {
  file_fixture f;
  const auto todo = f.plan();
  REQUIRE(todo.ok());
  f.world.write("motd", "somebody's");
  check_failure(f.files.apply(f.want, *todo, f.ctx), ec::name_conflict, "meanwhile");
  CHECK(f.world.read("motd") == "somebody's");
  CHECK(f.owned.all().empty());
}

TEST_CASE("file: second name of somebody's file -> that one keeps its mode") {
  file_fixture f;
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
  file_fixture f;
  f.want.spec.path = f.world / "conf.d/deeper/motd";
  check_failure(f.converge(), ec::not_found, "add a Directory resource");
  CHECK(f.owned.all().empty());
  CHECK(f.world.names().empty());
}

TEST_CASE("file: parent is a symlink -> UnsafePath that says what to write") {
  file_fixture f;
  REQUIRE(::mkdir((f.world / "real").c_str(), 0755) == 0);
  const auto absolute = GENERATE(false, true);
  const auto target = absolute ? f.world / "real" : std::string{"./x/../real"};
  REQUIRE(::symlink(target.c_str(), (f.world / "link").c_str()) == 0);
  f.want.spec.path = f.world / "link/motd";
  check_failure(f.converge(), ec::unsafe_path, "write '" + (f.world / "real") + "' instead of");
  CHECK_FALSE(f.world.exists("real/motd"));
}

TEST_CASE("file: parent swapped for a symlink after it was made -> not followed") {
  file_fixture f;
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
  file_fixture f;
  f.world.write("plain", "x");
  f.want.spec.path = f.world / "plain/motd";
  check_failure(f.converge(), ec::unsafe_path, "is not a folder");
}

TEST_CASE("file: path that is none -> InvalidSpec or UnsafePath") {
  file_fixture f;
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
  file_fixture f;
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
  file_fixture f;
  f.owned.refuse = failure{ec::disk_full, "no room"};
  check_failure(f.converge(), ec::disk_full, "no room");
  CHECK(f.world.names().empty());
}

TEST_CASE("file: canceled or late -> said so, nothing left") {
  file_fixture f;
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
  file_fixture f;
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
  file_fixture f;
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

#include "reconcilers/file.hpp"

#include <fstream>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "topology/files_digest.hpp"
#include "unit/reconcilers/file_fixture.hpp"

namespace harmony {
namespace {

using test::check_converged;
using test::check_failure;
using test::check_ok;
using test::file_fixture;

struct device_without_files {};

template <class T>
concept can_manage_files = requires {
  typename file_reconciler<T>;
};

static_assert(can_manage_files<posix_device>);
static_assert(!can_manage_files<device_without_files>);
static_assert(reconciler<file_reconciler<posix_device>>);

TEST_CASE("file: absent -> created with content and mode, claimed, then converged") {
  file_fixture f;
  f.want.spec.mode = "0640";
  check_ok(f.converge());
  CHECK(f.world.read("motd") == "hello\n");
  CHECK(f.world.mode("motd") == 0640);
  CHECK(f.record() == owned_target{f.want.id, f.want.spec.path, true, {}});
  CHECK(f.world.names() == std::vector<std::string>{"motd"});
  check_converged(f);
}

TEST_CASE("file: applied twice -> the same, without a new file") {
  file_fixture f;
  const auto todo = f.plan();
  REQUIRE(todo.ok());
  check_ok(f.files.apply(f.want, *todo, f.ctx));
  check_ok(f.files.apply(f.want, *todo, f.ctx));
  CHECK(f.world.read("motd") == "hello\n");
  CHECK(f.owned.claims == 1);
}

TEST_CASE("file: content differs -> replaced whole, a reader keeps the old one") {
  file_fixture f;
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
  file_fixture f;
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
  file_fixture f;
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
  file_fixture f;
  f.want.spec.content.reset();
  f.want.spec.content_base64 = "AAH/aGk=";
  check_ok(f.converge());
  CHECK(f.world.read("motd") == std::string("\0\x01\xffhi", 5));
  check_converged(f);
  f.want.spec.content_base64 = "not base64!";
  check_failure(f.converge(), ec::invalid_spec, "is not base64");
}

TEST_CASE("file: content of several pieces -> whole, and reported by its hash") {
  file_fixture f;
  f.want.spec.content = std::string((3U << 20) + 17, 'x');
  check_ok(f.converge());
  CHECK(f.world.read("motd") == *f.want.spec.content);
  const auto seen = f.files.observe(f.want, f.ctx);
  REQUIRE(seen.ok());
  CHECK(std::get<file_state>(f.files.report(*seen))
        == file_state{"sha256:" + sha256_of(*f.want.spec.content), "0644"});
}

TEST_CASE("file: foreign and different -> NameConflict, untouched, not claimed") {
  file_fixture f;
  f.world.write("motd", "somebody's", 0600);
  check_failure(f.converge(), ec::name_conflict, "differs in content and mode");
  const auto todo = std::vector<change>{{action::create, "content", {}, {}}};
  check_failure(f.files.apply(f.want, todo, f.ctx), ec::name_conflict, "set adopt: true");
  CHECK(f.world.read("motd") == "somebody's");
  CHECK(f.world.mode("motd") == 0600);
  CHECK(f.owned.all().empty());
}

TEST_CASE("file: foreign and equal -> converged, stays foreign, survives the removal") {
  file_fixture f;
  f.world.write("motd", "hello\n");
  check_converged(f);
  check_ok(f.remove());
  CHECK(f.world.read("motd") == "hello\n");
  CHECK(f.owned.claims == 0);
}

TEST_CASE("file: adopt -> taken over and changed, left in place when it goes") {
  file_fixture f;
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
  file_fixture f;
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
  file_fixture f;
  check_ok(f.converge());
  REQUIRE(::unlink(f.want.spec.path.c_str()) == 0);
  REQUIRE(::mkdir(f.want.spec.path.c_str(), 0755) == 0);
  f.world.write("motd/inside", "x");
  check_failure(f.converge(), ec::name_conflict, "is a directory");
  CHECK(f.world.read("motd/inside") == "x");
}

TEST_CASE("file: FIFO in its place -> looked at without hanging") {
  file_fixture f;
  check_ok(f.converge());
  REQUIRE(::unlink(f.want.spec.path.c_str()) == 0);
  REQUIRE(::mkfifo(f.want.spec.path.c_str(), 0644) == 0);
  const auto seen = f.files.observe(f.want, f.ctx);
  REQUIRE(seen.ok());
  CHECK(seen->found.type == file_type::fifo);
  CHECK(std::get<file_state>(f.files.report(*seen)) == file_state{});
}

} // namespace
} // namespace harmony

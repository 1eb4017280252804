#include "reconcilers/directory.hpp"

#include <filesystem>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "support/outcomes.hpp"
#include "unit/reconcilers/file_world.hpp"

namespace harmony {
namespace {

using test::check_failure;
using test::check_ok;
using test::file_world;
using test::plain_inventory;

struct device_without_files {};

template <class T>
concept can_manage_directories = requires {
  typename directory_reconciler<T>;
};

static_assert(can_manage_directories<posix_device>);
static_assert(!can_manage_directories<device_without_files>);

struct fixture {
  file_world world;
  plain_inventory owned;
  posix_device device;
  directory_reconciler<posix_device> directories{device};
  op_context ctx{"pi-0042", owned, {}};
  desired<directory_spec> want{{"Directory", "conf"}, {}, {}, {}};

  fixture() { want.spec.path = world / "conf.d"; }

  outcome<std::vector<change>> plan() {
    auto seen = directories.observe(want, ctx);
    if (!seen)
      return seen.error();
    return directories.plan(want, *seen);
  }

  outcome<void> converge() {
    auto todo = plan();
    if (!todo)
      return todo.error();
    return todo->empty() ? outcome<void>{} : directories.apply(want, *todo, ctx);
  }

  [[nodiscard]] std::optional<owned_target> record() const {
    return owned.find(want.id, want.spec.path);
  }

  outcome<void> remove() {
    return directories.remove(record().value_or(owned_target{want.id, want.spec.path}), ctx);
  }
};

TEST_CASE("directory: absent -> created with its mode, claimed, converged, reported") {
  fixture f;
  f.want.spec.mode = "2750";
  const auto before = f.directories.observe(f.want, f.ctx);
  REQUIRE(before.ok());
  CHECK(std::get<directory_state>(f.directories.report(*before)) == directory_state{});
  check_ok(f.converge());
  CHECK(f.world.mode("conf.d") == 02750);
  CHECK(f.record() == owned_target{f.want.id, f.want.spec.path, true, {}});
  const auto after = f.directories.observe(f.want, f.ctx);
  REQUIRE(after.ok());
  CHECK(std::get<directory_state>(f.directories.report(*after)) == directory_state{true, "2750"});
  CHECK(f.plan()->empty());
}

TEST_CASE("directory: drift by mode or removal -> healed, content untouched") {
  fixture f;
  check_ok(f.converge());
  SECTION("mode") {
    f.world.write("conf.d/x", "kept");
    REQUIRE(::chmod(f.want.spec.path.c_str(), 0700) == 0);
    check_ok(f.converge());
    CHECK(f.world.read("conf.d/x") == "kept");
  }
  SECTION("removed") {
    REQUIRE(::rmdir(f.want.spec.path.c_str()) == 0);
    check_ok(f.converge());
  }
  CHECK(f.world.mode("conf.d") == 0755);
  CHECK(f.plan()->empty());
}

TEST_CASE("directory: foreign -> converged when equal, NameConflict when not, adopted on wish") {
  fixture f;
  REQUIRE(::mkdir(f.want.spec.path.c_str(), 0700) == 0);
  REQUIRE(::chmod(f.want.spec.path.c_str(), 0755) == 0);
  CHECK(f.plan()->empty());
  REQUIRE(::chmod(f.want.spec.path.c_str(), 0700) == 0);
  check_failure(f.converge(), ec::name_conflict, "differs in mode");
  CHECK(f.world.mode("conf.d") == 0700);
  CHECK(f.owned.claims == 0);
  f.want.spec.adopt = true;
  check_ok(f.converge());
  CHECK(f.world.mode("conf.d") == 0755);
  check_ok(f.remove());
  CHECK(f.world.exists("conf.d"));
  CHECK(f.owned.all().empty());
}

TEST_CASE("directory: something else in its place -> NameConflict, also when it was owned") {
  fixture f;
  const bool owned = GENERATE(false, true);
  f.want.spec.adopt = true;
  if (owned) {
    check_ok(f.converge());
    REQUIRE(::rmdir(f.want.spec.path.c_str()) == 0);
  }
  std::string words;
  SECTION("file") {
    f.world.write("conf.d", "x");
    words = "is a file, not a directory";
  }
  SECTION("symlink") {
    REQUIRE(::symlink("/tmp", f.want.spec.path.c_str()) == 0);
    words = "is a symlink, not a directory";
  }
  check_failure(f.converge(), ec::name_conflict, words);
  check_failure(f.directories.apply(f.want, {}, f.ctx), ec::name_conflict, words);
  check_ok(f.remove());
  CHECK(f.world.exists("conf.d"));
}

TEST_CASE("directory: appeared between plan and apply -> NameConflict, not claimed") {
  fixture f;
  const auto todo = f.plan();
  REQUIRE(todo.ok());
  REQUIRE(::mkdir(f.want.spec.path.c_str(), 0700) == 0);
  check_failure(f.directories.apply(f.want, *todo, f.ctx), ec::name_conflict, "meanwhile");
  CHECK(f.world.mode("conf.d") == 0700);
  CHECK(f.owned.all().empty());
}

TEST_CASE("directory: killed between mkdir and chmod -> finished by the next apply") {
  fixture f;
  REQUIRE(f.owned.claim({f.want.id, f.want.spec.path}).ok());
  REQUIRE(::mkdir(f.want.spec.path.c_str(), 0700) == 0);
  check_ok(f.converge());
  CHECK(f.world.mode("conf.d") == 0755);
  CHECK(f.record()->created);
}

TEST_CASE("directory: parent missing -> told to add a Directory") {
  fixture f;
  f.want.spec.path = f.world / "a/b";
  check_failure(f.converge(), ec::not_found, "add a Directory resource");
  CHECK(f.owned.all().empty());
}

TEST_CASE("directory: remove -> only when it is empty and this resource's") {
  fixture f;
  check_ok(f.converge());
  SECTION("empty") {
    check_ok(f.remove());
    CHECK_FALSE(f.world.exists("conf.d"));
  }
  SECTION("with something in it") {
    f.world.write("conf.d/x", "kept");
    check_ok(f.remove());
    CHECK(f.world.read("conf.d/x") == "kept");
  }
  SECTION("gone already") {
    REQUIRE(::rmdir(f.want.spec.path.c_str()) == 0);
    check_ok(f.remove());
  }
  SECTION("not recorded") {
    REQUIRE(f.owned.release(f.want.id, f.want.spec.path).ok());
    check_ok(f.remove());
    CHECK(f.world.exists("conf.d"));
  }
  CHECK(f.owned.all().empty());
}

} // namespace
} // namespace harmony

// Disks that are full or read-only, and users: what only root can arrange.

#include <functional>
#include <string>
#include <thread>

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reconcilers/directory.hpp"
#include "reconcilers/file.hpp"
#include "state/state_store.hpp"
#include "support/catch.hpp"
#include "unit/reconcilers/file_world.hpp"

namespace harmony {
namespace {

using test::file_world;
using test::plain_inventory;

/// Runs `work` with a file system of `options` mounted at `where`, in a mount namespace that ends
/// with it. `work` gets a function that mounts it anew with other flags.
void with_mount(const std::string& where, const std::string& options,
                const std::function<void(const std::function<void(unsigned long)>&)>& work) {
  std::string trouble;
  std::thread{[&] {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr)
        || ::mount("tmpfs", where.c_str(), "tmpfs", 0, options.c_str()) != 0) {
      trouble = "cannot mount a tmpfs";
      return;
    }
    work([&](unsigned long flags) {
      if (::mount("none", where.c_str(), nullptr, MS_REMOUNT | flags, options.c_str()) != 0)
        trouble = "cannot mount it anew";
    });
  }}.join();
  REQUIRE(trouble.empty());
}

struct fixture {
  file_world world;
  plain_inventory owned;
  posix_device device;
  file_reconciler<posix_device> files{device};
  op_context ctx{"pi-0042", owned, {}};
  desired<file_spec> want{{"File", "motd"}, {}, {}, {}};

  fixture() {
    REQUIRE(::mkdir((world / "disk").c_str(), 0755) == 0);
    want.spec.path = world / "disk/motd";
    want.spec.content = "hello\n";
  }

  outcome<void> converge() {
    auto seen = files.observe(want, ctx);
    if (!seen)
      return seen.error();
    auto todo = files.plan(want, *seen);
    if (!todo)
      return todo.error();
    return todo->empty() ? outcome<void>{} : files.apply(want, *todo, ctx);
  }
};

TEST_CASE("file: disk full -> DiskFull, the old file stays, nothing left over", "[root]") {
  fixture f;
  outcome<void> small;
  outcome<void> big;
  std::string content;
  std::vector<std::string> names;
  outcome<void> again;
  with_mount(f.world / "disk", "size=64k", [&](const auto&) {
    small = f.converge();
    f.want.spec.content = std::string(200'000, 'x');
    big = f.converge();
    content = f.world.read("disk/motd");
    for (const auto& e : std::filesystem::directory_iterator{f.world / "disk"})
      names.push_back(e.path().filename().string());
    f.want.spec.content = "small again\n";
    again = f.converge();
  });
  CHECK(small.ok());
  REQUIRE_FALSE(big.ok());
  CHECK(big.error().code == ec::disk_full);
  CHECK(big.error().message.find("free space") != std::string::npos);
  CHECK(content == "hello\n");
  CHECK(names == std::vector<std::string>{"motd"});
  CHECK(again.ok());
}

TEST_CASE("file: disk read-only -> ReadOnlyFileSystem; converged ones stay converged", "[root]") {
  fixture f;
  outcome<void> writable;
  outcome<void> unchanged;
  outcome<void> content;
  outcome<void> mode;
  outcome<void> removed;
  with_mount(f.world / "disk", "size=64k", [&](const auto& remount) {
    writable = f.converge();
    remount(MS_RDONLY);
    unchanged = f.converge();
    f.want.spec.content = "changed\n";
    content = f.converge();
    f.want.spec.content = "hello\n";
    f.want.spec.mode = "0600";
    mode = f.converge();
    removed = f.files.remove({f.want.id, f.want.spec.path}, f.ctx);
  });
  CHECK(writable.ok());
  CHECK(unchanged.ok());
  for (const auto* failed : {&content, &mode, &removed}) {
    REQUIRE_FALSE(failed->ok());
    CHECK(failed->error().code == ec::read_only);
  }
  CHECK(f.owned.all().size() == 1);
}

TEST_CASE("state_store: disk full -> claim fails with DiskFull and has not happened", "[root]") {
  const file_world world;
  REQUIRE(::mkdir((world / "disk").c_str(), 0700) == 0);
  outcome<void> big;
  outcome<void> claimed;
  std::size_t owned = 0;
  std::size_t later = 0;
  with_mount(world / "disk", "size=160k", [&](const auto&) {
    auto store = std::move(*state_store::open(world / "disk"));
    big = store->save_accepted(1, 1, "h", std::string(400'000, 'x'));
    // A failed write has no after-effect: small ones still fit.
    claimed = store->claim({{"File", "a"}, "/etc/a"});
    owned = store->all().size();
    for (int i = 0; i < 100'000; ++i)
      if (const auto name = std::to_string(i);
          !store->claim({{"File", "b"}, name + std::string(1000, 'x')}))
        break;
    later = store->all().size();
    store.reset();
    store = std::move(*state_store::open(world / "disk"));
    later = store->all().size() == later ? later : 0;
  });
  REQUIRE_FALSE(big.ok());
  CHECK(big.error().code == ec::disk_full);
  INFO((claimed ? "" : claimed.error().message));
  CHECK(claimed.ok());
  CHECK(owned == 1);
  CHECK(later > 1); // what was claimed before the disk was full is there after it, and no more
}

TEST_CASE("file and directory: owner and group -> set, and healed when changed", "[root]") {
  fixture f;
  f.want.spec.owner = "daemon"; // of every Debian system
  f.want.spec.mode = "4755";    // taken away by chown: must be set after it
  REQUIRE(f.converge().ok());
  const auto daemon = f.device.files().resolve("daemon", {});
  REQUIRE(daemon.ok());
  const auto check_owner = [&] {
    const auto s = f.world.stat("disk/motd");
    CHECK(s.st_uid == daemon->uid);
    CHECK(s.st_gid == daemon->gid);
    CHECK((s.st_mode & 07777) == 04755);
  };
  check_owner();
  const auto before = f.world.stat("disk/motd").st_ino;
  REQUIRE(::chown(f.want.spec.path.c_str(), 61234, 61235) == 0);
  REQUIRE(f.converge().ok());
  check_owner();
  CHECK(f.world.stat("disk/motd").st_ino == before); // in place
  f.want.spec.group = "61235";
  REQUIRE(f.converge().ok());
  CHECK(f.world.stat("disk/motd").st_gid == 61235);

  directory_reconciler<posix_device> directories{f.device};
  desired<directory_spec> want{{"Directory", "d"}, {}, {}, {}};
  want.spec.path = f.world / "disk/d";
  want.spec.owner = "61234";
  want.spec.group = "daemon";
  const auto seen = directories.observe(want, f.ctx);
  REQUIRE(directories.apply(want, *directories.plan(want, *seen), f.ctx).ok());
  CHECK(f.world.stat("disk/d").st_uid == 61234);
  CHECK(f.world.stat("disk/d").st_gid == daemon->gid);
}

/// The reason of what `work` fails with when another user does it; "" for success.
std::string reason_as_nobody(const std::function<outcome<void>()>& work) {
  int result[2];
  REQUIRE(::pipe(result) == 0);
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const bool other =
      ::setresgid(65534, 65534, 65534) == 0 && ::setresuid(65534, 65534, 65534) == 0;
    const auto done = work();
    const std::string reason =
      !other ? "still root" : (done ? "" : std::string{reason_of(done.error().code)});
    (void)!::write(result[1], reason.data(), reason.size());
    ::_exit(0);
  }
  ::close(result[1]);
  std::string reason(100, '\0');
  const auto n = ::read(result[0], reason.data(), reason.size());
  reason.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  ::close(result[0]);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  return reason;
}

TEST_CASE("file: as a plain user -> PermissionDenied where it is, heals what it may", "[root]") {
  fixture f;
  REQUIRE(::chmod(f.world.root().c_str(), 0755) == 0);
  CHECK(reason_as_nobody([&] { return f.converge(); }) == "PermissionDenied");
  REQUIRE(::chmod((f.world / "disk").c_str(), 0777) == 0);
  f.want.spec.owner = "root";
  CHECK(reason_as_nobody([&] { return f.converge(); }) == "PermissionDenied");
  f.want.spec.owner.clear();
  CHECK(reason_as_nobody([&] { return f.converge(); }).empty());
  CHECK(f.world.stat("disk/motd").st_uid == 65534);
  REQUIRE(f.owned.claim({f.want.id, f.want.spec.path}).ok());
  REQUIRE(::chmod(f.want.spec.path.c_str(), 0) == 0); // unreadable for its owner too
  CHECK(reason_as_nobody([&] { return f.converge(); }).empty());
  CHECK(f.world.mode("disk/motd") == 0644);
  const auto state = f.world / "state";
  CHECK(reason_as_nobody([&]() -> outcome<void> {
          auto opened = state_store::open(state);
          return opened ? outcome<void>{} : opened.error();
        })
        == "PermissionDenied");
}

} // namespace
} // namespace harmony

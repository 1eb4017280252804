// What happens to things whose records were lost with the agent's database.

#include "reconcilers/container.hpp"
#include "reconcilers/directory.hpp"
#include "reconcilers/systemd_unit.hpp"
#include "support/memory_inventory.hpp"
#include "unit/reconcilers/container_bench.hpp"
#include "unit/reconcilers/file_fixture.hpp"
#include "unit/reconcilers/systemd_unit_fake.hpp"

namespace harmony::test {

TEST_CASE("file: records lost, equal to its manifest -> held as adopted, changed later, never "
          "deleted") {
  file_fixture f;
  f.world.write("motd", "hello\n");
  f.owned.lost = true;
  check_ok(f.converge());
  REQUIRE(f.record());
  CHECK_FALSE(f.record()->created);
  check_converged(f);
  f.owned.lost = false; // from the next start on
  f.want.spec.content = "hello again\n";
  check_ok(f.converge());
  CHECK(f.world.read("motd") == "hello again\n");
  check_ok(f.remove());
  CHECK(f.world.exists("motd"));
}

TEST_CASE("file: records lost, different from its manifest -> NameConflict, untouched") {
  file_fixture f;
  f.world.write("motd", "somebody's\n");
  f.owned.lost = true;
  check_failure(f.converge(), ec::name_conflict, "differs in content");
  CHECK(f.world.read("motd") == "somebody's\n");
  CHECK_FALSE(f.record());
}

TEST_CASE("file: equal without a record, and none was lost -> in use, and nobody's") {
  file_fixture f;
  f.world.write("motd", "hello\n");
  check_converged(f);
  CHECK_FALSE(f.record());
}

TEST_CASE("file: edited between the look and the taking back -> left alone") {
  file_fixture f;
  f.world.write("motd", "hello\n");
  f.owned.lost = true;
  const auto todo = f.plan();
  REQUIRE(todo);
  f.world.write("motd", "edited\n");
  check_failure(f.files.apply(f.want, *todo, f.ctx), ec::name_conflict, "differs in content");
  CHECK_FALSE(f.record());
}

TEST_CASE("directory: records lost, equal to its manifest -> held as adopted") {
  file_world world;
  plain_inventory owned;
  owned.lost = true;
  posix_device device;
  directory_reconciler<posix_device> directories{device};
  op_context ctx{"pi-0042", owned, {}};
  desired<directory_spec> want{{"Directory", "conf"}, {}, {}, {}};
  want.spec.path = world / "conf";
  want.spec.mode = "0755";
  std::filesystem::create_directory(want.spec.path);
  ::chmod(want.spec.path.c_str(), 0755);
  const auto todo = directories.plan(want, directories.observe(want, ctx).value());
  REQUIRE(todo);
  REQUIRE(todo->size() == 1);
  check_ok(directories.apply(want, *todo, ctx));
  REQUIRE(owned.find(want.id, want.spec.path));
  CHECK_FALSE(owned.find(want.id, want.spec.path)->created);
}

TEST_CASE("unit: records lost -> recorded from its marker, and not restarted") {
  fake_systemd manager;
  memory_inventory owned;
  desired<systemd_unit_spec> want{{"SystemdUnit", "web"}, {}, {}, "stamp"};
  want.spec.unit = "web.service";
  want.spec.content = "[Service]\nExecStart=/bin/web\n";
  const auto converge = [&](inventory& records) {
    op_context ctx{"dev", records, {}};
    const auto todo =
      systemd_unit::plan(want, systemd_unit::observe(manager, want, ctx).value()).value();
    if (!todo.empty())
      check_ok(systemd_unit::apply(manager, want, todo, ctx));
    return todo.size();
  };
  converge(owned);
  manager.calls.clear();
  memory_inventory empty;
  empty.lost = true;
  CHECK(converge(empty) == 1);
  CHECK(manager.calls.empty());
  CHECK(empty.all() == owned.all());
  CHECK(converge(empty) == 0);
  empty.lost = false;
  CHECK(converge(empty) == 0);
}

TEST_CASE("unit: a search for the agent's markers -> its units, and no one else's") {
  fake_systemd manager;
  memory_inventory owned;
  op_context ctx{"dev", owned, {}};
  const auto& folder = manager.folder;
  write_file(folder / "web.service", unit_marker("dev", {"SystemdUnit", "web"}) + "[Service]\n");
  write_file(folder / "theirs.service", unit_marker("other", {"SystemdUnit", "x"}));
  write_file(folder / "plain.service", "[Service]\n");
  write_file(folder / "net.network", unit_marker("dev", {"Network", "eth0"}));
  write_file(folder / "cut.service", "# Managed by harmony-agent: agent=dev resource=");
  std::filesystem::create_symlink("web.service", folder / "alias.service");
  std::filesystem::create_directory(folder / "multi-user.target.wants");
  CHECK(systemd_unit::marked(manager, ctx).value()
        == std::vector<owned_target>{{{"SystemdUnit", "web"}, "web.service", true, {}}});
}

TEST_CASE("container: a search for the agent's labels -> its containers, with what they run") {
  using namespace containers;
  bench b;
  b.converge(want_of("sha256:a", "s1"));
  auto ctx = b.ctx();
  const auto found = b.subject.marked(ctx).value();
  REQUIRE(found.size() == 1);
  CHECK(found.front().owner == resource_id{"Container", "app"});
  CHECK(found.front().target == name);
  CHECK(read_note(found.front().note).revision == "sha256:a");
  op_context other{"other", b.owned, {}};
  CHECK(b.subject.marked(other).value().empty());
}

TEST_CASE("container: strays -> those on no record that never ran, and nobody else's") {
  using namespace containers;
  bench b;
  const auto add = [&](const std::string& resource, container_status status,
                       const std::string& whose = agent) {
    auto info = info_of(want_of(), status);
    info.name = "harmony-" + resource;
    info.id = "id-" + resource;
    info.labels[container_label::agent] = whose;
    info.labels[container_label::resource] = "Container/" + resource;
    b.runtime.all[info.name] = info;
  };
  add("late", container_status::created);
  add("retained", container_status::running);
  add("ended", container_status::exited);
  add("theirs", container_status::created, "other");
  add("rebooted", container_status::created); // what podman says after a boot of one that ran
  b.runtime.all.at("harmony-rebooted").started = "2026-01-01T00:00:00.000Z";
  add("recorded", container_status::created);
  check_ok(b.owned.claim({{"Container", "recorded"}, "harmony-recorded", true, {}}));
  auto ctx = b.ctx();
  const auto found = b.subject.strays(ctx).value();
  REQUIRE(found.size() == 1);
  CHECK(found.front().owner == resource_id{"Container", "late"});
  CHECK(found.front().target == "harmony-late");
}

} // namespace harmony::test

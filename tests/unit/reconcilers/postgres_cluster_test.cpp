#include "postgres_cluster_world.hpp"
#include "reconcilers/secrets.hpp"

namespace harmony::test {

namespace {

static_assert(reconciler<postgres_cluster_reconciler<cluster_device>>);
static_assert(starter<postgres_cluster_reconciler<cluster_device>>);

/// Thrown where the agent is killed.
struct killed {};

const std::string marker = "# Managed by harmony-agent: agent=dev resource=PostgresCluster/db\n";

} // namespace

TEST_CASE("postgres cluster: nothing -> claimed, prepared, guard up, then the member runs") {
  cluster_world w;
  check_ok(w.converge());
  CHECK(w.log == steps{"claim", "prepare /srv/pg", "enable", "start", "run orders"});
  CHECK(read_file(w.conf()) == marker + "HARMONY_PGGUARD_DATA_DIR=\"/srv/pg\"\n");
  CHECK(w.guard().active == "active");
  const auto seen = w.look();
  CHECK(seen.changes.empty());
  CHECK_FALSE(seen.obstacle);
  CHECK(seen.state == resource_state{cluster_state{"primary", "active", "timeline 1"}});
  CHECK(w.subject.marked(w.ctx).value()
        == std::vector<owned_target>{{w.want.id, "orders", true, {}}});
}

TEST_CASE("postgres cluster: member not well -> not ready, and nothing is done") {
  cluster_world w;
  check_ok(w.converge());
  w.log.clear();
  w.runtime().members["orders"].well = false;
  w.runtime().members["orders"].role = "rejoining";
  check_failure(w.converge(), ec::not_converged,
                "member 'a' is rejoining, and neither primary nor a standby that streams: "
                "timeline 1");
  CHECK(w.log.empty());
}

TEST_CASE("postgres cluster: agent started again -> runs anew, the guard goes on") {
  cluster_world w;
  check_ok(w.converge());
  w.log.clear();
  w.restart_agent();
  CHECK(describe(w.look().changes) == "member (none -> a)");
  check_ok(w.converge());
  CHECK(w.log == steps{"prepare /srv/pg", "run orders"});
  CHECK(w.guard().starts == 1);
}

TEST_CASE("postgres cluster: a field changed -> runs with it, the guard goes on") {
  cluster_world w;
  check_ok(w.converge());
  w.log.clear();
  w.spec().priority = 2;
  w.spec().parameters["work_mem"] = "8MB";
  CHECK(describe(w.look().changes)
        == R"(parameters (default -> {"work_mem":"8MB"}), priority (default -> 2))");
  check_ok(w.converge());
  CHECK(w.log == steps{"prepare /srv/pg", "run orders"});
  CHECK(w.guard().starts == 1);
}

TEST_CASE("postgres cluster: conf changed but not its folder -> written, the guard goes on") {
  cluster_world w;
  check_ok(w.converge());
  write_file(w.conf(), read_file(w.conf()) + "POSTGRES_OPTIONS=-c log_statement=all\n");
  w.log.clear();
  check_ok(w.converge());
  CHECK(w.log == steps{"prepare /srv/pg"});
  CHECK(read_file(w.conf()) == marker + "HARMONY_PGGUARD_DATA_DIR=\"/srv/pg\"\n");
  std::filesystem::remove(w.conf());
  check_ok(w.converge());
  CHECK(w.guard().starts == 1);
  CHECK(w.look().changes.empty());
}

TEST_CASE("postgres cluster: other data directory -> handed over and stopped before the conf") {
  cluster_world w;
  check_ok(w.converge());
  w.log.clear();
  w.spec().data_dir = "/srv/\"new\"";
  std::string conf_at_stop;
  w.watch([&](const std::string& what) {
    if (what == "stop")
      conf_at_stop = read_file(w.conf());
  });
  check_ok(w.converge());
  CHECK(w.log == steps{"end orders", "stop", "prepare /srv/\"new\"", "start", "run orders"});
  CHECK(conf_at_stop.find("=\"/srv/pg\"\n") != std::string::npos);
  CHECK(read_file(w.conf()) == marker + "HARMONY_PGGUARD_DATA_DIR=\"/srv/\\\"new\\\"\"\n");
  CHECK(w.guard().starts == 2);
}

TEST_CASE("postgres cluster: other cluster -> the former one ends first, its conf goes") {
  cluster_world w;
  check_ok(w.converge());
  w.log.clear();
  w.spec().cluster = "bills";
  w.install("bills");
  check_ok(w.converge());
  CHECK(w.log
        == steps{"claim", "end orders", "stop", "disable", "reset-failed", "release",
                 "prepare /srv/pg", "enable", "start", "run bills"});
  CHECK_FALSE(std::filesystem::exists(w.conf()));
  CHECK(w.look().changes.empty());
}

TEST_CASE("postgres cluster: left the manifest -> ended, unit and conf gone") {
  cluster_world w;
  check_ok(w.converge());
  w.log.clear();
  check_ok(w.leave());
  CHECK(w.log == steps{"end orders", "stop", "disable", "reset-failed", "release"});
  CHECK_FALSE(std::filesystem::exists(w.conf()));
  CHECK(w.owned.all().empty());
}

TEST_CASE("postgres cluster: does not hand over -> stays, unit and conf with it") {
  cluster_world w;
  check_ok(w.converge());
  w.runtime().failures["end"] = {ec::timed_out, "it still stops"};
  check_failure(w.leave(), ec::timed_out, "it still stops");
  CHECK(w.guard().active == "active");
  CHECK(w.owned.find(w.want.id, "orders"));
}

TEST_CASE("postgres cluster: somebody's conf -> NameConflict; it and its unit stay") {
  cluster_world w;
  write_file(w.conf(), "HARMONY_PGGUARD_DATA_DIR=/other\n");
  check_failure(w.converge(), ec::name_conflict, "is not this agent's");
  check_ok(w.owned.claim({w.want.id, "orders", true, {}}));
  w.log.clear();
  check_ok(w.leave());
  CHECK(w.log == steps{"end orders", "release"});
  CHECK(read_file(w.conf()) == "HARMONY_PGGUARD_DATA_DIR=/other\n");
}

TEST_CASE("postgres cluster: no data yet -> a guard that is tried again holds nothing up") {
  cluster_world w;
  write_file(w.device.manager.folder.path() / guard_unit, "[Service]\nHANGS\n[Install]\n");
  check_ok(w.converge());
  CHECK(w.log.back() == "run orders");
  CHECK(w.look().changes.empty());
}

TEST_CASE("postgres cluster: guard cannot start -> UnitFailed, the member does not run") {
  cluster_world w;
  write_file(w.device.manager.folder.path() / guard_unit, "[Service]\nBROKEN\n[Install]\n");
  check_failure(w.converge(), ec::unit_failed, guard_unit);
  CHECK(w.runtime().members["orders"].runs == std::nullopt);
}

TEST_CASE("postgres cluster: preparing fails -> its words, no guard") {
  cluster_world w;
  w.runtime().failures["prepare"] = {ec::disk_full, "no space"};
  check_failure(w.converge(), ec::disk_full, "no space");
  CHECK_FALSE(std::filesystem::exists(w.conf()));
}

TEST_CASE("postgres cluster: guard not managed -> neither unit nor conf is looked at") {
  cluster_world w;
  postgres_cluster_reconciler<cluster_device> bare{w.device, {false, w.folder.path()}};
  const desired<postgres_cluster_spec> want{w.want.id, w.spec(), {}, {}};
  check_ok(bare.apply(want, {}, w.ctx));
  CHECK(w.log == steps{"claim", "prepare /srv/pg", "run orders"});
  CHECK_FALSE(std::filesystem::exists(w.conf()));
  const auto seen = bare.observe(want, w.ctx);
  CHECK(bare.report(*seen) == resource_state{cluster_state{"primary", "", "timeline 1"}});
  w.log.clear();
  check_ok(bare.remove({w.want.id, "orders", true, {}}, w.ctx));
  CHECK(w.log == steps{"end orders", "release"});
}

TEST_CASE(
  "postgres cluster: killed at every step, repeated -> as wanted, no guard with two confs") {
  const auto begin = GENERATE(as<std::string>{}, "new", "other folder", "other cluster", "leaving");
  for (int n = 0;; ++n) {
    INFO(begin << ", killed at step " << n);
    cluster_world w;
    if (begin != "new")
      check_ok(w.converge());
    if (begin == "other folder")
      w.spec().data_dir = "/srv/new";
    if (begin == "other cluster") {
      w.spec().cluster = "bills";
      w.install("bills");
    }
    const auto work = [&] { return begin == "leaving" ? w.leave() : w.converge(); };
    const auto former = begin == "new" ? std::string{} : read_file(w.conf());
    int left = n;
    bool dead = false;
    w.watch([&](const std::string&) {
      // A guard that runs has the folder that its conf names.
      if (w.guard().active == "active" && begin == "other folder" && w.guard().starts == 1)
        CHECK(read_file(w.conf()) == former);
      if (left-- == 0)
        throw killed{};
    });
    try {
      check_ok(work());
    } catch (const killed&) {
      dead = true;
    }
    w.watch([](const std::string&) {});
    if (dead)
      w.restart_agent();
    check_ok(work());
    if (begin == "leaving") {
      CHECK(w.owned.all().empty());
      CHECK_FALSE(std::filesystem::exists(w.conf()));
      CHECK(w.guard().active == "inactive");
    } else {
      const auto seen = w.look();
      CHECK(describe(seen.changes).empty());
      CHECK_FALSE(seen.obstacle);
      CHECK(w.owned.all().size() == 1);
      CHECK(w.guard().active == (begin == "other cluster" ? "inactive" : "active"));
    }
    if (!dead)
      break;
  }
}

// -- the password
// ----------------------------------------------------------------------------------

namespace {

class one_secret final : public secret_port {
public:
  std::optional<std::string> value = "s3cret-one\n";

  outcome<secret_bytes> read(const secret_ref& ref, const resource_id& /*user*/) override {
    if (!value)
      return {ec::secret_unavailable, ref.str() + " is not there"};
    return secret_bytes{std::string{*value}};
  }
  outcome<std::string> mark(std::string_view /*value*/) override {
    return {ec::internal, "not asked for"};
  }
  std::string stamp(const secret_ref& /*ref*/) override { return value.value_or(""); }
};

} // namespace

TEST_CASE("postgres cluster: the password's value changed -> applied, and in nothing told") {
  cluster_world w;
  const auto secrets = std::make_shared<one_secret>();
  secret_driver behind{std::make_shared<driver_of<postgres_cluster_reconciler<cluster_device>>>(
                         w.device, postgres_guard_config{true, w.folder.path()}),
                       secrets, std::make_shared<secret_uses>(secrets)};
  w.spec().replication_password = secret_ref{secret_source::file, "orders"};
  const auto look = [&] { return behind.observe(w.want, w.ctx).value(); };
  check_ok(behind.apply(w.want, look().changes, w.ctx));
  const auto& runs = w.runtime().members["orders"].runs;
  CHECK(runs->replication_password->value->reveal() == "s3cret-one");
  CHECK(look().changes.empty());
  w.runtime().members["orders"].detail = "password s3cret-one refused";
  secrets->value = "s3cret-two";
  const auto changed = look();
  CHECK(describe(changed.changes) == "replication.secretRef (another -> secret)");
  check_ok(behind.apply(w.want, changed.changes, w.ctx));
  CHECK(runs->replication_password->value->reveal() == "s3cret-two");
  secrets->value.reset();
  const auto gone = look();
  CHECK(gone.changes.empty());
  REQUIRE(gone.obstacle);
  CHECK(*gone.obstacle
        == failure{ec::secret_unavailable, "replication: secret file 'orders' is not there"});
}

} // namespace harmony::test

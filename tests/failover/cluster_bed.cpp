#include "failover/cluster_bed.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <unistd.h>

#include "guard/process_tree.hpp"
#include "guard/tree.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/shell.hpp"

namespace harmony::test {

using namespace std::chrono_literals;

namespace {

constexpr auto call_limit = 5000ms;

bool is_root() {
  return ::geteuid() == 0;
}

/// PostgreSQL does not run as root.
std::string owner_of_data() {
  return is_root() ? "postgres" : must("id -un");
}

std::map<std::string, std::string> variables() {
  std::map<std::string, std::string> out;
  for (const char* name : {"PATH", "HOME", "LSAN_OPTIONS", "ASAN_OPTIONS", "UBSAN_OPTIONS"})
    if (const char* value = std::getenv(name))
      out[name] = value;
  return out;
}

} // namespace

bed_member::bed_member(std::string name, const nats_server& server, std::string agent_id)
  : name_(std::move(name)),
    agent_id_(agent_id.empty() ? name_ : std::move(agent_id)),
    owner_(owner_of_data()),
    port_(nats_server::unused_port()),
    to_store_(std::make_unique<tcp_proxy>(server.port())),
    to_postgres_(std::make_unique<tcp_proxy>(port_)) {
  must("chmod 711 " + folder_.str() + " && install -d -m 700 "
       + (is_root() ? "-o " + owner_ + " " : "") + data() + " && install -d -m 755 "
       + (is_root() ? "-o " + owner_ + " " : "") + (folder_ / "sockets").string()
       + " && install -d -m 700 " + (folder_ / "guards" / "main").string() + " "
       + (folder_ / "state").string() + " " + (folder_ / "secrets").string());
  write_file(folder_ / "secrets" / "replication", "a password");
  must("chmod 600 " + (folder_ / "secrets" / "replication").string());
}

bed_member::~bed_member() {
  cut_power();
}

std::string bed_member::conninfo() const {
  return "host=127.0.0.1 port=" + std::to_string(port_) + " user=" + owner_
         + " dbname=postgres connect_timeout=2";
}

std::string bed_member::postgres_log() const {
  return shell("tail -n 40 " + data() + "/log/* 2>/dev/null");
}

void bed_member::start_guard() {
  guard_ = std::make_unique<process>(
    std::vector<std::string>{HARMONY_PGGUARD, "--data-dir", data(), "--socket",
                             (folder_ / "guards" / "main" / "guard.sock").string()},
    "", variables());
}

void bed_member::start_agent(const std::map<std::string, std::string>& more) {
  // Agents die more often here than a device's may: one that crashed five times begins in safe
  // mode.
  std::filesystem::remove(folder_ / "state" / "crashes.json");
  auto all = variables();
  for (const auto& [name, value] : more)
    all[name] = value;
  agent_ = std::make_unique<process>(
    std::vector<std::string>{HARMONY_AGENT, "--agent-id", agent_id_, "--store",
                             "nats://127.0.0.1:" + std::to_string(to_store_->port()), "--state-dir",
                             (folder_ / "state").string(), "--guard-dir",
                             (folder_ / "guards").string(), "--secrets-dir",
                             (folder_ / "secrets").string(), "--systemd", "off", "--podman", "off",
                             "--heartbeat-interval", "500ms"},
    "", all);
}

void bed_member::kill_agent() {
  agent_->signal(SIGKILL);
  (void)agent_->wait();
  agent_.reset();
}

void bed_member::stop_agent() {
  agent_->signal(SIGTERM);
  CHECK(agent_->wait().code == 0);
  agent_.reset();
}

void bed_member::freeze_agent() {
  agent_->signal(SIGSTOP);
}

void bed_member::thaw_agent() {
  agent_->signal(SIGCONT);
}

void bed_member::freeze_guard() {
  signal_guard(SIGSTOP);
}

void bed_member::thaw_guard() {
  signal_guard(SIGCONT);
}

void bed_member::signal_guard(int number) {
  const auto postgres = servers();
  guard_->signal(number);
  for (const auto& e : guard::descendants_of(guard_->pid(), guard::all_processes()))
    if (std::find(postgres.begin(), postgres.end(), e.pid) == postgres.end())
      ::kill(e.pid, number);
}

pid_t bed_member::signal_backend(const std::string& type, int number) const {
  std::optional<std::string> pid;
  INFO(name_ << " has no " << type);
  REQUIRE(eventually(
    [&] {
      pid = ask("SELECT pid FROM pg_stat_activity WHERE backend_type = '" + type + "' LIMIT 1");
      return pid.value_or("") != "";
    },
    10s));
  ::kill(std::stoi(*pid), number);
  return std::stoi(*pid);
}

std::string bed_member::folder_of_data() const {
  return must("stat -c %i " + data());
}

std::vector<pid_t> bed_member::servers() const {
  const open_fd folder{::open(data().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  std::vector<pid_t> found;
  for (const auto& e : guard::all_processes())
    if (e.alive && guard::works_in(e.pid, folder.get()))
      found.push_back(e.pid);
  return found;
}

pid_t bed_member::postmaster() const {
  return static_cast<pid_t>(std::atoi(shell("head -n 1 " + data() + "/postmaster.pid").c_str()));
}

void bed_member::kill_postmaster() const {
  const auto pid = postmaster();
  REQUIRE(pid > 1);
  ::kill(pid, SIGKILL);
}

void bed_member::signal_servers(int number) const {
  for (const auto pid : servers())
    ::kill(pid, number);
}

void bed_member::freeze_postgres() const {
  signal_servers(SIGSTOP);
}

void bed_member::thaw_postgres() const {
  signal_servers(SIGCONT);
}

void bed_member::cut_power() {
  for (auto* p : {&agent_, &guard_}) {
    if (!*p)
      continue;
    for (const auto& e : guard::descendants_of((*p)->pid(), guard::all_processes()))
      ::kill(e.pid, SIGKILL);
    (*p)->signal(SIGKILL);
    (void)(*p)->wait();
    p->reset();
  }
  eventually(
    [&] {
      signal_servers(SIGKILL);
      return servers().empty();
    },
    10s);
}

void bed_member::restore_power() {
  start_guard();
  start_agent();
}

std::optional<std::string> bed_member::ask(const std::string& sql) const {
  return pg_client{conninfo()}.value(sql);
}

cluster_bed::cluster_bed(cluster_options how) : how_(std::move(how)) {
  store_options to;
  to.url = server_.url();
  to.name = "test";
  link_ = open_store(to).value();
  REQUIRE(eventually([&] { return link_->prepare(call_limit).ok(); }, 20s));
  for (std::size_t i = 0; i < how_.members; ++i)
    members_.push_back(
      std::make_unique<bed_member>(std::string(1, static_cast<char>('a' + i)), server_));
}

cluster_bed::~cluster_bed() = default;

std::string cluster_bed::manifest(const bed_member& m) const {
  std::string others;
  for (const auto& each : members_) {
    const auto port = each->name() == m.name() ? m.port() : each->public_port();
    others += std::string{others.empty() ? "" : ","} + R"({"name":")" + each->name()
              + R"(","host":"127.0.0.1","port":)" + std::to_string(port) + "}";
  }
  const auto owner = owner_of_data();
  const auto folder = std::filesystem::path{m.data()}.parent_path();
  return R"({"apiVersion":"harmony/v1","kind":"AgentManifest","metadata":{"agent":")" + m.agent_id()
         + R"(","generation":)" + std::to_string(generation_)
         + R"(},"spec":{"resources":[{"kind":"PostgresCluster","name":"main","spec":{"cluster":"main","member":")"
         + m.name() + R"(","members":[)" + others + R"(],"dataDir":")" + m.data() + R"(","owner":")"
         + owner + R"(","mode":")" + how_.mode + R"(","profile":")" + how_.profile
         + R"(","bootstrap":)" + (&m == members_.front().get() ? "true" : "false")
         + R"(,"replication":{"secretRef":{"file":"replication"}},"hba":["host all all 127.0.0.1/32 trust"],"socketDir":")"
         + (folder / "sockets").string() + R"(")" + how_.more + m.more() + "}}]}}";
}

void cluster_bed::apply(const cluster_options& how) {
  how_ = how;
  ++generation_;
  for (const auto& m : members_)
    put_manifest(*m);
}

void cluster_bed::apply() {
  apply(cluster_options{how_});
  for (const auto& m : members_)
    if (m->has_agent()) {
      INFO(m->name() << ": " << words_of(*m));
      REQUIRE(eventually(
        [&] {
          const auto is = status(*m);
          return is.observed_generation == generation_ && is.phase == agent_phase::converged;
        },
        20s));
    }
}

void cluster_bed::put_manifest(const bed_member& m) {
  const auto before = link_->get(bucket::desired_state, m.agent_id(), call_limit).value();
  const auto done = link_->put(bucket::desired_state, m.agent_id(), manifest(m),
                               before ? before->revision : 0, call_limit);
  INFO((done ? "" : done.error().message));
  REQUIRE(done.ok());
}

std::unique_ptr<bed_member> cluster_bed::double_of(const bed_member& m) {
  auto made = std::make_unique<bed_member>(m.name(), server_, m.name() + "-double");
  put_manifest(*made);
  return made;
}

void cluster_bed::start() {
  apply(how_);
  for (const auto& m : members_) {
    m->start_guard();
    m->start_agent();
  }
  await_primary();
  await_whole();
}

bed_member* cluster_bed::primary() {
  for (const auto& m : members_)
    if (m->ask("SELECT pg_is_in_recovery()") == "f")
      return m.get();
  return nullptr;
}

bed_member& cluster_bed::await_primary(const bed_member* not_this, std::chrono::seconds limit) {
  bed_member* found = nullptr;
  const bool there = eventually(
    [&] {
      found = primary();
      return found != nullptr && found != not_this;
    },
    limit);
  INFO(story());
  REQUIRE(there);
  return *found;
}

void cluster_bed::await_whole(std::size_t without, std::chrono::seconds limit) {
  // The primary counts pg_basebackup, too.
  const auto follows = [](const bed_member& m, const bed_member& p) {
    return m.ask("SELECT sender_port FROM pg_stat_wal_receiver WHERE status = 'streaming'")
           == std::to_string(p.public_port());
  };
  const bool whole = eventually(
    [&] {
      auto* p = primary();
      return p != nullptr
             && static_cast<std::size_t>(std::count_if(
                  members_.begin(), members_.end(), [&](const auto& m) { return follows(*m, *p); }))
                  == members_.size() - 1 - without;
    },
    limit);
  INFO(story());
  REQUIRE(whole);
}

run_result cluster_bed::ctl(const std::vector<std::string>& words) const {
  std::vector<std::string> command{HARMONYCTL, "--store", server_.url()};
  command.insert(command.end(), words.begin(), words.end());
  return process{command, "", variables()}.wait();
}

nlohmann::json cluster_bed::lease_status() const {
  const auto said = ctl({"failover", "status", "main", "-o", "json"});
  return nlohmann::json::parse(said.out, nullptr, false);
}

std::string cluster_bed::words_of(const bed_member& m) const {
  std::string words;
  for (const auto& [id, is] : status(m).resources) {
    words += is.message + "\n";
    if (const auto* state = std::get_if<cluster_state>(&is.state))
      words += state->role + ": " + state->detail + "\n";
  }
  return words;
}

std::string cluster_bed::differences(std::chrono::seconds limit) {
  constexpr auto sum = "SELECT count(*) || ' rows, ' || coalesce(md5(string_agg(id || node, ',' "
                       "ORDER BY id)), '') FROM writes";
  std::string differ;
  eventually(
    [&] {
      differ.clear();
      const auto* p = primary();
      const auto wanted = p == nullptr ? std::nullopt : p->ask(sum);
      for (const auto& m : members_)
        if (const auto has = m->ask(sum); !has || has != wanted)
          differ += m->name() + " has " + has.value_or("no answer") + " and not "
                    + wanted.value_or("no answer") + "\n";
      return differ.empty();
    },
    limit);
  return differ;
}

agent_status cluster_bed::status(const bed_member& m) const {
  const auto entry = link_->get(bucket::actual_state, m.agent_id(), call_limit);
  return entry && *entry ? read_status((*entry)->value).value() : agent_status{};
}

std::string cluster_bed::story() const {
  auto text =
    "nats-server " + std::string{server_.running() ? "runs" : "has ended"} + ":\n" + server_.log();
  for (const auto& m : members_)
    text += "\n=== " + m->name() + ": agent\n" + m->agent_log() + "--- guard\n" + m->guard_log()
            + "--- PostgreSQL\n" + m->postgres_log() + "\n";
  return text;
}

} // namespace harmony::test

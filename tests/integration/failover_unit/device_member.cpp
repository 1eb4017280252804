#include "integration/failover_unit/device_member.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "failover/pg_client.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

using namespace std::chrono_literals;

namespace fs = std::filesystem;

const std::string device_member::unit = "harmony-pgguard@main.service";
const std::string device_member::conf = "/etc/harmony-agent/pgguard/main.conf";
const std::string device_member::data = "/srv/h-pg/data";
const std::string device_member::password = "Zq7-of-replication";

namespace {

/// Nothing of a file that is gone, as those of a process may be at any time.
std::string text_of(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

} // namespace

process_watch::process_watch(std::string word)
  : word_(std::move(word)), thread_([this] {
      while (!over_) {
        look();
        std::this_thread::sleep_for(2ms);
      }
    }) {}

process_watch::~process_watch() {
  over_ = true;
  thread_.join();
}

void process_watch::look() {
  std::error_code gone; // as processes are
  for (const auto& each : fs::directory_iterator("/proc", gone)) {
    if (!is_number(each.path().filename()))
      continue;
    const auto name = text_of(each.path() / "comm");
    const auto line = text_of(each.path() / "cmdline");
    const std::lock_guard lock{mutex_};
    if (line.find(word_) != std::string::npos
        && std::find(shown_.begin(), shown_.end(), line) == shown_.end())
      shown_.push_back(line);
    if (name == "initdb\n" || name == "pg_basebackup\n" || name == "pg_rewind\n")
      if (const auto group = text_of(each.path() / "cgroup"); !group.empty())
        programs_[name.substr(0, name.size() - 1)] = group;
  }
}

std::vector<std::string> process_watch::shown() const {
  const std::lock_guard lock{mutex_};
  return shown_;
}

std::map<std::string, std::string> process_watch::programs() const {
  const std::lock_guard lock{mutex_};
  return programs_;
}

device_member::device_member(const nats_server& server, std::string profile)
  : port_(nats_server::unused_port()), profile_(std::move(profile)), agent_({}, server.url()) {
  must("rm -rf /srv/h-pg && install -d /srv/h-pg && "
       "install -d -o postgres /srv/h-pg/sockets && install -d -m 700 /etc/harmony-agent/secrets");
  write_file("/etc/harmony-agent/secrets/replication", password);
  must("chmod 600 /etc/harmony-agent/secrets/replication");
}

device_member::~device_member() {
  shell("systemctl stop harmony-agent; systemctl disable --now " + unit
        + "; systemctl reset-failed " + unit + "; rm -rf /srv/h-pg");
}

std::string device_member::resource(bool bootstrap, const std::string& others) const {
  return R"({"kind":"PostgresCluster","name":"main","spec":{"cluster":"main","member":"device",)"
         R"("members":[{"name":"device","host":"127.0.0.1","port":)"
         + std::to_string(port_) + "}" + others + R"(],"dataDir":")" + data
         + R"(","socketDir":"/srv/h-pg/sockets","profile":")" + profile_
         + R"(","replication":{"secretRef":{"file":"replication"}},)"
           R"("hba":["host all all 127.0.0.1/32 trust"])"
         + (bootstrap ? R"(,"bootstrap":true}})" : "}}");
}

void device_member::start(bool bootstrap, const std::string& others) {
  agent_.start();
  remote().apply(resource(bootstrap, others));
  await_ready();
}

void device_member::await_ready() {
  const auto standing = remote().await_standing("PostgresCluster/main", "Ready");
  INFO(story());
  REQUIRE(standing == "Ready");
}

std::optional<std::string> device_member::ask(const std::string& sql) const {
  return pg_client{"host=127.0.0.1 port=" + std::to_string(port_)
                   + " user=postgres dbname=postgres connect_timeout=2"}
    .value(sql);
}

bool device_member::writable(std::chrono::seconds limit) const {
  return eventually([&] { return ask("SELECT pg_is_in_recovery()") == "f"; }, limit);
}

pid_t device_member::postmaster() {
  return static_cast<pid_t>(std::atoi(text_of(data + "/postmaster.pid").c_str()));
}

std::string device_member::guard(const std::string& property) {
  return must("systemctl show --value -p " + property + " " + unit);
}

std::string device_member::story() {
  return shell("journalctl --no-pager -n 80 -u harmony-agent -u " + unit + "; tail -n 40 " + data
               + "/log/*");
}

std::string ctl(const nats_server& server, const std::string& words) {
  int status = 0;
  const auto said =
    shell("/usr/bin/harmonyctl --store " + server.url() + " " + words + " 2>&1", &status);
  return said + (status == 0 ? "" : "\nfailed");
}

} // namespace harmony::test

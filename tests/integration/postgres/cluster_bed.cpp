#include "integration/postgres/cluster_bed.hpp"

#include <algorithm>
#include <csignal>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guard/system.hpp"
#include "guard/tree.hpp"
#include "integration/guard/postgres_bed.hpp"
#include "postgres/owner.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/shell.hpp"

namespace harmony::test {

using namespace std::chrono_literals;

namespace fx = failover::fx;

namespace {

constexpr auto order_patience = 60s;
constexpr auto look_patience = 20s;

std::uint16_t free_port() {
  const open_fd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&at), size) == 0);
  REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&at), &size) == 0);
  return ntohs(at.sin_port);
}

std::string data_owner() {
  if (::geteuid() != 0)
    return postgres::name_of({::geteuid(), ::getegid()});
  return succeeds("getent passwd postgres") ? "postgres" : "nobody";
}

/// PostgreSQL's programs; those that sync a thousand files do not.
const std::string& programs() {
  static const temp_dir folder;
  static const std::string made = [] {
    must("chmod 755 " + folder.str() + " && ln -s " + postgres_programs() + "/* " + folder.str());
    for (const auto* name : {"initdb", "pg_basebackup", "pg_rewind"}) {
      const auto program = (folder / name).string();
      must("rm " + program);
      write_file(program, "#!/bin/sh\nexec " + postgres_programs() + "/" + name + " --no-sync "
                            + (std::string{name} == "initdb" ? "--wal-segsize=1 " : "")
                            + "\"$@\"\n");
      must("chmod 755 " + program);
    }
    return folder.str();
  }();
  return made;
}

/// What `prepare` makes takes seconds: once.
const std::string& made_data() {
  static const temp_dir folder;
  static const std::string made = [] {
    must("chmod 711 " + folder.str());
    failover::member_settings s;
    s.cluster = "template";
    s.node = "a";
    s.members = {{"a", "127.0.0.1", 1}};
    s.data_dir = folder / "data";
    s.bin_dir = programs();
    const auto prepared = postgres::prepare(s, {true, data_owner(), ""});
    INFO((prepared ? "" : prepared.error().message));
    REQUIRE(prepared);
    must("echo 'fsync = off' >> " + s.data_dir + "/postgresql.conf"); // a member cannot ask for it
    return s.data_dir;
  }();
  return made;
}

std::uint64_t& number_in(failover::pg_order& order) {
  static std::uint64_t none = 0;
  return std::visit(
    [](auto& o) -> std::uint64_t& {
      if constexpr (requires { o.operation; })
        return o.operation;
      else
        return none;
    },
    order);
}

} // namespace

pg_node::~pg_node() {
  if (member)
    member->close();
  if (guard_ && guard_->pid() > 0) {
    guard_->signal(SIGTERM);
    static_cast<void>(guard_->ended(20s));
  }
  const open_fd data{::open(settings.data_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (data)
    eventually([&] { return guard::kill_strays(data.get()) == 0; }, 10s);
}

void pg_node::open() {
  start_guard();
  reopen();
}

void pg_node::end_guard() {
  guard_->signal(SIGTERM);
  REQUIRE(guard_->ended(20s));
}

void pg_node::start_guard() {
  guard_ = std::make_unique<process>(
    std::vector<std::string>{HARMONY_PGGUARD, "--data-dir", settings.data_dir, "--socket",
                             settings.guard_socket, "--bin-dir", settings.bin_dir},
    "", std::map<std::string, std::string>{});
  const bool listens = guard_->complained("listens at");
  INFO(guard_->complaints());
  REQUIRE(listens);
}

void pg_node::reopen() {
  member.reset();
  {
    const std::scoped_lock lock{mutex_};
    guard_is_.reset();
    seen_.reset();
  }
  member = std::make_unique<postgres::member>(settings);
  member->open([this](const failover::event& e) { take(e); });
  REQUIRE(guard_says().healthy);
}

void pg_node::take(const failover::event& e) {
  const std::scoped_lock lock{mutex_};
  if (const auto* done = std::get_if<failover::ev::operation_done>(&e))
    done_.push_back(*done);
  else if (const auto* seen = std::get_if<failover::ev::observed>(&e))
    seen_ = seen->is;
  else if (const auto* guard = std::get_if<failover::ev::guard>(&e))
    guard_is_ = *guard;
  come_.notify_all();
}

std::uint64_t pg_node::begin(failover::pg_order what) {
  const auto number = ++number_;
  number_in(what) = number;
  member->carry_out(what);
  return number;
}

failover::ev::operation_done pg_node::end_of(std::uint64_t operation) {
  std::unique_lock lock{mutex_};
  const auto found = [&] {
    return std::find_if(done_.begin(), done_.end(),
                        [&](const auto& d) { return d.operation == operation; });
  };
  const bool over = come_.wait_for(lock, order_patience, [&] { return found() != done_.end(); });
  INFO(log());
  REQUIRE(over);
  return *found();
}

bool pg_node::done(std::uint64_t operation) {
  const std::scoped_lock lock{mutex_};
  return std::any_of(done_.begin(), done_.end(),
                     [&](const auto& d) { return d.operation == operation; });
}

failover::ev::operation_done pg_node::order(failover::pg_order what) {
  return end_of(begin(std::move(what)));
}

void pg_node::must(failover::pg_order what) {
  const auto done = order(std::move(what));
  INFO(done.message << "\n" << log());
  REQUIRE(done.ok);
}

failover::postgres pg_node::sees(const std::function<bool(const failover::postgres&)>& satisfied) {
  std::unique_lock lock{mutex_};
  const bool come = come_.wait_for(
    lock, look_patience, [&] { return seen_ && seen_->after == number_ && satisfied(*seen_); });
  INFO(settings.node << ": " << member->now().trouble << "\n" << log());
  if (seen_ && !come)
    UNSCOPED_INFO("running " << seen_->running << " recovery " << seen_->in_recovery << " timeline "
                             << seen_->timeline << " receives " << seen_->receives << " upstream '"
                             << seen_->upstream << "' after " << seen_->after << " of " << number_);
  REQUIRE(come);
  return *seen_;
}

failover::ev::guard pg_node::guard_says() {
  std::unique_lock lock{mutex_};
  REQUIRE(come_.wait_for(lock, 10s, [&] { return guard_is_.has_value(); }));
  return *guard_is_;
}

void pg_node::arm(std::uint64_t epoch) {
  const failover::instant until{guard::boot_now() + 250s};
  member->arm({until, epoch});
  REQUIRE(eventually([&] { return guard_says().deadline == until; }, 10s));
}

std::optional<std::string> pg_node::ask(const std::string& sql) {
  const auto limits = postgres::within(5s);
  const auto files = postgres::files_of(settings);
  if (!files)
    return std::nullopt;
  auto s = postgres::open_local(settings, files->whose(), limits);
  if (!s || !s->ask("SET search_path = public", limits))
    return std::nullopt;
  const auto answer = s->ask(sql, limits);
  if (!answer)
    return std::nullopt;
  return answer->empty() ? "" : answer->front().front().value_or("");
}

pid_t pg_node::postmaster() const {
  const auto text = read_file(settings.data_dir + "/postmaster.pid");
  return static_cast<pid_t>(std::stol(text));
}

cluster_bed::cluster_bed() {
  must("chmod 711 " + folder_.str());
  for (const auto* name : {"a", "b", "c"})
    addresses_.push_back({name, "127.0.0.1", free_port()});
}

std::string cluster_bed::owner() const {
  return data_owner();
}

failover::member_settings cluster_bed::settings_of(const std::string& name) const {
  failover::member_settings s;
  s.cluster = "test";
  s.node = name;
  s.members = addresses_;
  s.data_dir = folder_ / (name + "/data");
  s.bin_dir = programs();
  s.guard_socket = folder_ / (name + "/guard.sock");
  s.socket_dir = folder_ / (name + "/s");
  s.replication_password = secret_bytes{"it's a: \\secret"};
  s.parameters = {{"shared_buffers", "8MB"},
                  {"max_connections", "20"},
                  {"listen_addresses", "127.0.0.1"},
                  {"autovacuum", "off"},
                  {"log_min_messages", "warning"}};
  return s;
}

pg_node& cluster_bed::make(const std::string& name) {
  const auto s = settings_of(name);
  const auto as = ::geteuid() == 0 ? "-o " + data_owner() + " " : std::string{};
  // As Debian has it, the folder around the data is the owner's, but of one member.
  must("install -d -m 755 " + (name == "c" ? "" : as) + file(name).string()
       + " && install -d -m 755 " + as + s.socket_dir);
  return *nodes_.emplace_back(std::make_unique<pg_node>(s));
}

pg_node& cluster_bed::bootstrapped(const std::string& name) {
  auto& n = make(name);
  must("cp -a " + made_data() + " " + n.settings.data_dir);
  return n;
}

pg_node& cluster_bed::joining(const std::string& name) {
  auto& n = make(name);
  const auto prepared = postgres::prepare(n.settings, {false, data_owner(), ""});
  INFO((prepared ? "" : prepared.error().message));
  REQUIRE(prepared);
  n.open();
  return n;
}

pg_node& cluster_bed::primary() {
  auto& n = bootstrapped("a");
  n.open();
  n.arm(1);
  n.must(to<fx::start_primary>());
  n.sees([](const auto& is) { return is.running && !is.in_recovery; });
  REQUIRE(
    eventually([&] { return n.ask("SELECT count(*) FROM pg_replication_slots") == "2"; }, 10s));
  REQUIRE(eventually(
    [&] {
      return n.ask("SELECT has_function_privilege('replicator', "
                   "'pg_read_binary_file(text)', 'execute')")
             == "t";
    },
    10s));
  REQUIRE(n.ask("CREATE TABLE t (n int)"));
  return n;
}

pg_node& cluster_bed::standby_of(pg_node& from, const std::string& name) {
  auto& n = joining(name);
  CHECK(n.sees().system_id == 0);
  n.must(to<fx::reclone>(from.settings.node));
  n.must(to<fx::start_standby>(from.settings.node));
  n.sees([&](const auto& is) { return is.receives && is.upstream == from.settings.node; });
  return n;
}

bool catches_up(pg_node& standby, pg_node& from) {
  const auto at = from.ask("SELECT pg_current_wal_flush_lsn()");
  REQUIRE(at);
  return eventually(
    [&] { return standby.ask("SELECT pg_last_wal_replay_lsn() >= '" + *at + "'") == "t"; }, 15s);
}

} // namespace harmony::test

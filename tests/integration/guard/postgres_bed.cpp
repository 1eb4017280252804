#include "integration/guard/postgres_bed.hpp"

#include <csignal>
#include <filesystem>
#include <stdexcept>

#include <fcntl.h>
#include <libpq-fe.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard/process_tree.hpp"
#include "guard/system.hpp"
#include "guard/tree.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/shell.hpp"

namespace harmony::test {

using namespace std::chrono_literals;

namespace {

bool is_root() {
  return ::geteuid() == 0;
}

/// PostgreSQL does not run as root.
std::string owner_of_data() {
  if (!is_root())
    return {};
  return succeeds("getent passwd postgres") ? "postgres" : "nobody";
}

std::string as(const std::string& owner, const std::string& command) {
  if (owner.empty())
    return command;
  return "setpriv --reuid=" + owner + " --regid=$(id -g " + owner + ") --clear-groups " + command;
}

/// Made once: initdb takes a second.
const std::string& template_directory() {
  static const temp_dir folder;
  static const std::string made = [] {
    const auto data = folder / "data";
    must("chmod 711 " + folder.str() + " && install -d -m 700 "
         + (is_root() ? "-o " + owner_of_data() + " " : "") + data.string());
    must(
      as(owner_of_data(), postgres_programs() + "/initdb -D " + data.string()
                            + " -A trust -U tester --no-sync -E UTF8 --locale=C --wal-segsize=1"));
    return data.string();
  }();
  return made;
}

} // namespace

guard::boot_time in(std::chrono::milliseconds t) {
  return guard::boot_now() + t;
}

std::string postgres_programs() {
  for (int version = 17; version >= 13; --version) {
    auto folder = "/usr/lib/postgresql/" + std::to_string(version) + "/bin";
    if (std::filesystem::exists(folder + "/postgres"))
      return folder;
  }
  FAIL("no PostgreSQL 13 to 17 is installed: run scripts/setup");
  return {};
}

session::session(const std::string& conninfo)
  : connection_(PQconnectdb(conninfo.c_str()), PQfinish) {
  PQsetNoticeProcessor(
    connection_.get(), [](void*, const char*) {}, nullptr);
}

bool session::open() const {
  return PQstatus(connection_.get()) == CONNECTION_OK;
}

std::optional<std::string> session::ask(const std::string& sql) {
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result{
    PQexec(connection_.get(), sql.c_str()), PQclear};
  const auto status = PQresultStatus(result.get());
  if (status == PGRES_COMMAND_OK)
    return "";
  if (status != PGRES_TUPLES_OK)
    return std::nullopt;
  return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

postgres_bed::postgres_bed() : owner_(owner_of_data()) {
  must("chmod 711 " + folder_.str() + " && cp -a " + template_directory() + " " + data()
       + " && install -d -m 755 " + (owner_.empty() ? "" : "-o " + owner_ + " ")
       + file("sockets").string());
  data_fd_ = open_fd{::open(data().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
}

postgres_bed::~postgres_bed() {
  if (guard_ && guard_->pid() > 0) { // 0: it was waited for
    guard_->signal(SIGTERM);
    guard_->signal(SIGCONT);
    static_cast<void>(guard_->ended(20s)); // if not, it is killed
  }
  guard_.reset();
  if (keeper_)
    ::syscall(SYS_pidfd_send_signal, keeper_.get(), SIGKILL, nullptr, 0);
  eventually([&] { return guard::kill_strays(data_fd_.get()) == 0; }, 10s);
}

std::string postgres_bed::conninfo() const {
  return "host=" + file("sockets").string() + " user=tester dbname=postgres";
}

std::string postgres_bed::as_owner(const std::string& command) const {
  return as(owner_, command);
}

std::unique_ptr<process>
postgres_bed::guard_process(const std::vector<std::string>& flags,
                            const std::map<std::string, std::string>& variables) const {
  std::vector<std::string> command{HARMONY_PGGUARD, "--data-dir", data(), "--socket", socket()};
  command.insert(command.end(), flags.begin(), flags.end());
  for (const auto* each : {"--", "-c", "listen_addresses="})
    command.emplace_back(each);
  command.insert(command.end(), {"-c", "unix_socket_directories=" + file("sockets").string()});
  return std::make_unique<process>(command, "", variables);
}

void postgres_bed::start_guard(const std::vector<std::string>& flags,
                               const std::map<std::string, std::string>& variables) {
  guard_ = guard_process(flags, variables);
  const bool listens = guard_->complained("listens at");
  INFO(guard_->complaints());
  REQUIRE(listens);
  keeper_ = open_fd{static_cast<int>(::syscall(SYS_pidfd_open, keeper(), 0))};
}

pid_t postgres_bed::keeper() const {
  for (const auto& e : guard::all_processes())
    if (e.parent == guard_->pid() && e.alive)
      return e.pid;
  throw std::runtime_error("the guard has no second process");
}

guard::client postgres_bed::agent() const {
  auto made = guard::client::connect(socket(), in(5s));
  INFO((made ? std::string{} : made.error().message));
  REQUIRE(made);
  return std::move(*made);
}

guard::boot_time postgres_bed::start_primary(guard::client& agent, std::chrono::milliseconds lease,
                                             std::uint64_t epoch) const {
  const auto deadline = in(lease);
  const auto armed = agent.call(guard::arm{epoch, deadline}, in(5s));
  REQUIRE(armed);
  INFO(armed->text);
  REQUIRE(armed->what == guard::report::kind::ok);
  const auto started = agent.call(guard::start{true}, in(5s));
  REQUIRE(started);
  INFO(started->text);
  REQUIRE(started->what == guard::report::kind::ok);
  auto s = connect();
  REQUIRE(s.ask("CREATE TABLE IF NOT EXISTS t (n int)"));
  return deadline;
}

void postgres_bed::start_standby(guard::client& agent) const {
  const auto started = agent.call(guard::start{false}, in(5s));
  REQUIRE(started);
  INFO(started->text);
  REQUIRE(started->what == guard::report::kind::ok);
  CHECK(connect().ask("SELECT pg_is_in_recovery()") == "t");
}

session postgres_bed::connect() const {
  session s{conninfo()};
  const bool connected = eventually(
    [&] {
      if (!s.open())
        s = session{conninfo()};
      return s.open();
    },
    20s);
  INFO((guard_ ? guard_->complaints() : std::string{}));
  REQUIRE(connected);
  return s;
}

std::vector<pid_t> postgres_bed::servers() const {
  std::vector<pid_t> found;
  for (const auto& e : guard::all_processes())
    if (e.alive && guard::works_in(e.pid, data_fd_.get()))
      found.push_back(e.pid);
  return found;
}

bool postgres_bed::gone_by(guard::boot_time t) const {
  const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(t - guard::boot_now());
  return eventually([&] { return servers().empty(); }, rest);
}

writer::writer(const postgres_bed& bed) : session_(bed.connect()) {
  REQUIRE(session_.ask("INSERT INTO t VALUES (0)"));
  count_ = 1;
  thread_ = std::thread{[this] {
    while (!stop_ && session_.ask("INSERT INTO t VALUES (0)")) {
      last_ = guard::boot_now().count();
      ++count_;
    }
    ended_ = true;
  }};
}

writer::~writer() {
  stop_ = true;
  thread_.join();
}

bool writer::ended() const {
  return eventually([&] { return ended_.load(); }, 10s);
}

busy_backend::busy_backend(const postgres_bed& bed) : session_(bed.connect()) {
  thread_ = std::thread{[this] {
    session_.ask("DO $$ BEGIN LOOP INSERT INTO t VALUES (1); COMMIT; END LOOP; END $$");
  }};
  auto other = bed.connect();
  REQUIRE(
    eventually([&] { return other.ask("SELECT count(*) > 10 FROM t WHERE n = 1") == "t"; }, 20s));
}

other_process::other_process(const std::function<void()>& work) {
  pid_ = ::fork();
  if (pid_ == 0) {
    work();
    for (;;)
      ::pause();
  }
}

other_process::~other_process() {
  end();
}

void other_process::signal(int number) const {
  ::kill(pid_, number);
}

void other_process::end() {
  if (pid_ <= 0)
    return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

} // namespace harmony::test

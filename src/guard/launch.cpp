#include "guard/launch.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard/system.hpp"

namespace harmony::guard {

namespace {

struct owner_of_data {
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;
};

std::string name_of(uid_t user) {
  std::string name;
  auto* file = ::fopen("/etc/passwd", "re");
  if (file == nullptr)
    return name;
  while (const auto* entry = ::fgetpwent(file))
    if (entry->pw_uid == user) {
      name = entry->pw_name;
      break;
    }
  ::fclose(file);
  return name;
}

/// The local groups of a user: PostgreSQL reads its certificate's key by one. Read from the files
/// themselves, because a statically linked program has no other name services.
owner_of_data owner_with_groups(const data_directory& data) {
  owner_of_data o{data.owner(), data.group(), {data.group()}};
  const auto name = name_of(o.user);
  auto* file = name.empty() ? nullptr : ::fopen("/etc/group", "re");
  if (file == nullptr)
    return o;
  while (const auto* entry = ::fgetgrent(file))
    for (auto** member = entry->gr_mem; *member != nullptr; ++member)
      if (name == *member)
        o.groups.push_back(entry->gr_gid);
  ::fclose(file);
  return o;
}

/// PostgreSQL's own words for its backends, who are not worth what the postmaster is.
std::vector<std::string> environment() {
  std::vector<std::string> all;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string_view entry{*each};
    const auto is = [&](std::string_view name) { return entry.substr(0, name.size()) == name; };
    if (!is("NOTIFY_SOCKET=") && !is("WATCHDOG_") && !is("LISTEN_") && !is("HARMONY_PGGUARD_")
        && !is("PG_OOM_ADJUST_"))
      all.emplace_back(entry);
  }
  all.emplace_back("PG_OOM_ADJUST_FILE=/proc/self/oom_score_adj");
  all.emplace_back("PG_OOM_ADJUST_VALUE=0");
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  for (auto& t : texts)
    all.push_back(t.data());
  all.push_back(nullptr);
  return all;
}

/// In the child: no longer the guard, but an ordinary process of the data directory's owner.
bool become(const owner_of_data& o, pid_t guard) {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::setsid();
  ::umask(0077);
  // As in Debian's own unit: the postmaster last of all, its backends like any process.
  if (const open_fd score{::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)}; score)
    write_all(score.get(), ::geteuid() == 0 ? "-900" : "0");
  if (const open_fd input{::open("/dev/null", O_RDONLY | O_CLOEXEC)}; input)
    ::dup2(input.get(), STDIN_FILENO);
  if (::geteuid() == 0
      && (::setgroups(o.groups.size(), o.groups.data()) != 0
          || ::setresgid(o.group, o.group, o.group) != 0
          || ::setresuid(o.user, o.user, o.user) != 0))
    return false;
  // After the change of user, which would forget it.
  return ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && ::getppid() == guard;
}

/// Forks and runs `command` as `o`, `prepare` being done in the child first. Answers its pid once
/// the program has replaced it.
outcome<pid_t> spawn(std::vector<std::string> command, const owner_of_data& o,
                     const std::function<void()>& prepare) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return {ec::io_error, because("cannot start '" + command.front() + "'", errno)};
  const open_fd in{ends[0]};
  open_fd out{ends[1]};
  auto variables = environment();
  const auto arguments = pointers(command);
  const auto values = pointers(variables);
  const pid_t guard = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    prepare();
    if (become(o, guard))
      ::execve(arguments.front(), arguments.data(), values.data());
    const int error = errno;
    if (::write(out.get(), &error, sizeof error) < 0)
      ::_exit(126);
    ::_exit(127);
  }
  out = open_fd{};
  int error = pid < 0 ? errno : 0;
  if (pid > 0 && ::read(in.get(), &error, sizeof error) > 0)
    ::waitpid(pid, nullptr, 0);
  if (error != 0)
    return {ec::io_error, because("cannot start '" + command.front() + "'", error)};
  return pid;
}

/// What `program --version` prints; empty where it does not, within 3 s.
std::string version_of(const std::string& program, const owner_of_data& o) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return {};
  const open_fd in{ends[0]};
  open_fd out{ends[1]};
  const auto pid = spawn({program, "--version"}, o, [&] { ::dup2(out.get(), STDOUT_FILENO); });
  out = open_fd{};
  if (!pid)
    return {};
  std::array<char, 256> text{};
  pollfd ready{in.get(), POLLIN, 0};
  const auto n = ::poll(&ready, 1, 3'000) == 1 ? ::read(in.get(), text.data(), text.size()) : -1;
  ::kill(*pid, SIGKILL); // it has said what it had to
  ::waitpid(*pid, nullptr, 0);
  return n > 0 ? std::string{text.data(), static_cast<std::size_t>(n)} : std::string{};
}

} // namespace

std::string major_of(const std::string& printed) {
  constexpr std::string_view mark = "(PostgreSQL) ";
  const auto at = printed.find(mark);
  if (at == std::string::npos)
    return {};
  const auto rest = printed.substr(at + mark.size());
  return rest.substr(0, std::min(rest.find_first_not_of("0123456789"), rest.size()));
}

outcome<std::string> program_for(const instance& i, const data_directory& data) {
  const auto folder =
    i.bin_dir.empty() ? "/usr/lib/postgresql/" + data.major() + "/bin" : i.bin_dir;
  const auto program = folder + "/postgres";
  if (::access(program.c_str(), X_OK) != 0)
    return {ec::capability_missing, because("there is no '" + program + "' to serve version "
                                              + data.major() + ": install it or give --bin-dir",
                                            errno)};
  const auto major = major_of(version_of(program, owner_with_groups(data)));
  if (major.empty())
    return {ec::capability_missing, "'" + program + "' does not say which PostgreSQL it is"};
  if (major != data.major())
    return {ec::invalid_spec, "the data directory '" + data.path() + "' is of PostgreSQL "
                                + data.major() + ", and '" + program + "' is of PostgreSQL " + major
                                + ": give the --bin-dir of " + data.major()
                                + ", or upgrade the data with pg_upgrade"};
  return program;
}

outcome<pid_t> launch(const std::string& program, const instance& i, const data_directory& data,
                      const tree& place) {
  std::vector<std::string> command{program, "-D", data.path()};
  command.insert(command.end(), i.options.begin(), i.options.end());
  // It outranks -D and a configuration file's: PostgreSQL runs where the guard holds
  // standby.signal, and nowhere else.
  command.insert(command.end(), {"-c", "data_directory=" + data.path()});
  return spawn(std::move(command), owner_with_groups(data), [&] { place.enter(); });
}

} // namespace harmony::guard

#include "postgres/owner.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include <pwd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guard/process_tree.hpp"
#include "posix/small_file.hpp"

namespace harmony::postgres {

namespace {

// By number, because the C library's own change all threads. 32 bits on old 32-bit machines too.
#ifdef SYS_setresuid32
constexpr long set_user = SYS_setresuid32;
constexpr long set_group = SYS_setresgid32;
constexpr long set_groups = SYS_setgroups32;
#else
constexpr long set_user = SYS_setresuid;
constexpr long set_group = SYS_setresgid;
constexpr long set_groups = SYS_setgroups;
#endif

constexpr std::size_t entry_size = 4096;

struct account_entry {
  passwd entry{};
  std::array<char, entry_size> text{};
  bool found = false;
};

} // namespace

outcome<owner> owner_of(const std::string& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0)
    return failure_of(errno, "look at '" + path + "'");
  return owner{s.st_uid, s.st_gid};
}

std::optional<owner> account(const std::string& name) {
  account_entry a;
  passwd* found = nullptr;
  ::getpwnam_r(name.c_str(), &a.entry, a.text.data(), a.text.size(), &found);
  if (found == nullptr) {
    uid_t number = 0;
    const auto* end = name.data() + name.size();
    const auto [at, error] = std::from_chars(name.data(), end, number);
    if (error == std::errc{} && at == end)
      ::getpwuid_r(number, &a.entry, a.text.data(), a.text.size(), &found);
  }
  return found == nullptr ? std::nullopt : std::optional{owner{found->pw_uid, found->pw_gid}};
}

std::string name_of(const owner& who) {
  account_entry a;
  passwd* found = nullptr;
  ::getpwuid_r(who.user, &a.entry, a.text.data(), a.text.size(), &found);
  return found == nullptr ? std::to_string(who.user) : found->pw_name;
}

acting_as::acting_as(const owner& who) : changed_(::geteuid() == 0 && who.user != 0) {
  if (!changed_)
    return;
  groups_.resize(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
  const int there = ::getgroups(static_cast<int>(groups_.size()), groups_.data());
  groups_.resize(static_cast<std::size_t>(std::max(0, there)));
  ::syscall(set_groups, 1, &who.group);
  ::syscall(set_group, -1, who.group, -1);
  ::syscall(set_user, -1, who.user, -1);
  held_ = ::geteuid() == who.user && ::getegid() == who.group;
}

outcome<> acting_as::held() const {
  if (!held_)
    return {ec::capability_missing, "the agent runs as root and cannot take another user's rights: "
                                    "it needs CAP_SETUID and CAP_SETGID"};
  return {};
}

acting_as::~acting_as() {
  if (!changed_)
    return;
  ::syscall(set_user, -1, 0, -1);
  ::syscall(set_group, -1, ::getgid(), -1);
  ::syscall(set_groups, groups_.size(), groups_.data());
}

outcome<> send_signal(const owner& who, pid_t pid, int signal) {
  // By its user too: the kernel lets a thread whose real user is root signal root's processes.
  const auto his = [&] {
    const auto whose = owner_of("/proc/" + std::to_string(pid));
    return whose && whose->user == who.user;
  };
  const acting_as rights{who};
  if (auto held = rights.held(); !held)
    return held;
  if (pid <= 1 || !guard::kill_exactly(pid, signal, his))
    return {ec::not_found, "process " + std::to_string(pid) + " is none of user " + name_of(who)
                             + ": it gets no signal"};
  return {};
}

std::vector<std::string> command_as(const owner& who, std::vector<std::string> command) {
  if (::geteuid() != 0 || who.user == 0)
    return command;
  std::vector<std::string> all{"setpriv", "--reuid=" + std::to_string(who.user),
                               "--regid=" + std::to_string(who.group), "--clear-groups"};
  all.insert(all.end(), std::make_move_iterator(command.begin()),
             std::make_move_iterator(command.end()));
  return all;
}

} // namespace harmony::postgres

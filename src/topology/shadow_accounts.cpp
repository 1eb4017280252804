#include "topology/shadow_accounts.hpp"

#include <algorithm>

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "topology/account_lookup.hpp"
#include "topology/process_runner.hpp"

namespace harmony {

namespace {

constexpr std::size_t shown_output = 500;             ///< bytes of a program's words in a message
constexpr std::chrono::milliseconds stop_grace{2000}; ///< to give the locks back

// Exit statuses of groupdel(8).
constexpr int no_such_group = 6;
constexpr int group_of_an_account = 8;

outcome<std::string> group_name(gid_t gid) {
  ::group entry{};
  std::vector<char> buffer;
  const auto found =
    lookup_account(entry, buffer, [&](auto... args) { return ::getgrgid_r(gid, args...); });
  if (!found)
    return found.error();
  return *found ? std::string{entry.gr_name} : std::to_string(gid);
}

std::vector<gid_t> group_ids(const char* user, gid_t primary) {
  std::vector<gid_t> ids(32);
  int count = static_cast<int>(ids.size());
  while (::getgrouplist(user, primary, ids.data(), &count) < 0)
    ids.resize(std::max(ids.size() * 2, static_cast<std::size_t>(count)));
  ids.resize(static_cast<std::size_t>(count));
  return ids;
}

/// The program's words on one line.
std::string words_of(std::string output) {
  while (!output.empty() && output.back() == '\n')
    output.pop_back();
  std::replace_if(
    output.begin(), output.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return output;
}

/// Runs a program to its end; its exit status may be any of `fine`.
outcome<void> run(const std::vector<std::string>& arguments, const op_limits& limits,
                  const std::string& doing, const std::vector<int>& fine = {0}) {
  if (::geteuid() != 0)
    return {ec::permission_denied, doing + ": only root may; run the agent as root"};
  process_command command;
  command.arguments = arguments;
  command.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"};
  command.keep = shown_output;
  command.grace = stop_grace;
  const auto ended = run_process(command, check_limits{limits.cancel, limits.deadline});
  if (!ended)
    return {ended.error().code,
            doing + ": '" + arguments.front() + "' cannot be started: " + ended.error().message};
  switch (ended->how) {
  case process_result::ending::timed_out:
    return {ec::timed_out, doing + ": '" + arguments.front() + "' did not end in time"};
  case process_result::ending::canceled: return {ec::canceled, doing + " was interrupted"};
  case process_result::ending::lost:
    return {ec::io_error, doing + ": '" + arguments.front() + "' cannot be waited for"};
  case process_result::ending::signaled:
    return {ec::account_failed, doing + ": '" + arguments.front() + "' was killed by signal "
                                  + std::to_string(ended->number)};
  case process_result::ending::exited: break;
  }
  if (std::find(fine.begin(), fine.end(), ended->number) != fine.end())
    return {};
  return {ec::account_failed, doing + " failed: " + words_of(ended->output)};
}

} // namespace

outcome<account_info> shadow_accounts::look(const std::string& user) {
  ::passwd entry{};
  std::vector<char> buffer;
  const auto found = lookup_account(
    entry, buffer, [&](auto... args) { return ::getpwnam_r(user.c_str(), args...); });
  if (!found)
    return found.error();
  account_info info;
  if (!*found)
    return info;
  info.present = true;
  info.uid = entry.pw_uid;
  info.home = entry.pw_dir;
  info.shell = entry.pw_shell;
  info.comment = entry.pw_gecos == nullptr ? "" : entry.pw_gecos;
  for (const auto gid : group_ids(entry.pw_name, entry.pw_gid)) {
    auto name = group_name(gid);
    if (!name)
      return name.error();
    if (gid == entry.pw_gid)
      info.group = std::move(*name);
    else
      info.groups.push_back(std::move(*name));
  }
  std::sort(info.groups.begin(), info.groups.end());
  return info;
}

outcome<std::string> shadow_accounts::holder(std::uint32_t uid) {
  ::passwd entry{};
  std::vector<char> buffer;
  const auto found =
    lookup_account(entry, buffer, [&](auto... args) { return ::getpwuid_r(uid, args...); });
  if (!found)
    return found.error();
  return *found ? std::string{entry.pw_name} : std::string{};
}

outcome<bool> shadow_accounts::has_group(const std::string& group) {
  ::group entry{};
  std::vector<char> buffer;
  return lookup_account(entry, buffer,
                        [&](auto... args) { return ::getgrnam_r(group.c_str(), args...); });
}

outcome<void> shadow_accounts::create_group(const std::string& group, bool system,
                                            const op_limits& limits) {
  std::vector<std::string> arguments{"/usr/sbin/groupadd"};
  if (system)
    arguments.emplace_back("--system");
  arguments.insert(arguments.end(), {"--", group});
  return run(arguments, limits, "creating group '" + group + "'");
}

outcome<void> shadow_accounts::remove_group(const std::string& group, const op_limits& limits) {
  return run({"/usr/sbin/groupdel", "--", group}, limits, "removing group '" + group + "'",
             {0, no_such_group, group_of_an_account});
}

outcome<void> shadow_accounts::create(const new_account& account, const op_limits& limits) {
  std::vector<std::string> arguments{"/usr/sbin/useradd", "--gid", account.group};
  const auto add = [&](const char* option, const std::string& value) {
    arguments.emplace_back(option);
    arguments.push_back(value);
  };
  if (account.uid)
    add("--uid", std::to_string(*account.uid));
  if (!account.groups.empty())
    add("--groups", group_list(account.groups));
  if (account.home)
    add("--home-dir", *account.home);
  if (account.shell)
    add("--shell", *account.shell);
  if (!account.comment.empty())
    add("--comment", account.comment);
  if (account.system)
    arguments.emplace_back("--system");
  arguments.emplace_back(account.system ? "--no-create-home" : "--create-home");
  arguments.insert(arguments.end(), {"--", account.user});
  return run(arguments, limits, "creating account '" + account.user + "'");
}

outcome<void> shadow_accounts::change(const std::string& user, const account_change& what,
                                      const op_limits& limits) {
  std::vector<std::string> arguments{"/usr/sbin/usermod"};
  const auto add = [&](const char* option, const std::string& value) {
    arguments.emplace_back(option);
    arguments.push_back(value);
  };
  if (what.uid)
    add("--uid", std::to_string(*what.uid));
  if (!what.group.empty())
    add("--gid", what.group);
  if (!what.add_groups.empty()) {
    arguments.emplace_back("--append");
    add("--groups", group_list(what.add_groups));
  }
  if (what.home)
    add("--home", *what.home);
  if (what.shell)
    add("--shell", *what.shell);
  if (!what.comment.empty())
    add("--comment", what.comment);
  if (arguments.size() == 1)
    return {};
  arguments.insert(arguments.end(), {"--", user});
  return run(arguments, limits, "changing account '" + user + "'");
}

outcome<void> shadow_accounts::remove(const std::string& user, const op_limits& limits) {
  return run({"/usr/sbin/userdel", "--", user}, limits, "removing account '" + user + "'");
}

} // namespace harmony

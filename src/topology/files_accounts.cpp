// Users and groups.

#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "topology/account_lookup.hpp"
#include "topology/files_posix.hpp"

namespace harmony {

namespace {

std::optional<std::uint32_t> number_in(const std::string& text) {
  std::uint32_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  // The highest number means "leave it" to chown(2).
  if (error != std::errc{} || stop != end || value == UINT32_MAX)
    return std::nullopt;
  return value;
}

/// Whether there is such an entry, with `ids` set from it.
outcome<bool> user_entry(const std::string& owner, account_ids& ids) {
  ::passwd entry{};
  std::vector<char> buffer;
  const auto number = number_in(owner);
  auto found = lookup_account(entry, buffer, [&](auto... args) {
    return number ? ::getpwuid_r(*number, args...) : ::getpwnam_r(owner.c_str(), args...);
  });
  if (found && *found)
    ids = {entry.pw_uid, entry.pw_gid};
  return found;
}

outcome<gid_t> group_id(const std::string& group) {
  if (const auto number = number_in(group))
    return gid_t{*number};
  ::group entry{};
  std::vector<char> buffer;
  auto found = lookup_account(entry, buffer,
                              [&](auto... args) { return ::getgrnam_r(group.c_str(), args...); });
  if (!found)
    return found.error();
  if (!*found)
    return {ec::no_such_user, "group '" + group
                                + "' does not exist on this device: create it, or "
                                  "name another group"};
  return entry.gr_gid;
}

} // namespace

outcome<account_ids> posix_files::resolve(const std::string& owner, const std::string& group) {
  account_ids ids{::geteuid(), ::getegid()};
  // A number with a group beside it needs no entry.
  const auto number = owner.empty() ? std::nullopt : number_in(owner);
  if (number && !group.empty()) {
    ids.uid = *number;
  } else if (!owner.empty()) {
    auto known = user_entry(owner, ids);
    if (!known)
      return known.error();
    if (!*known)
      return {ec::no_such_user, "user '" + owner + "' does not exist on this device"
                                  + (number ? ", so that its group is not known: name a group"
                                            : ": create it, or name another owner")};
  }
  if (!group.empty()) {
    auto gid = group_id(group);
    if (!gid)
      return gid.error();
    ids.gid = *gid;
  }
  return ids;
}

std::string posix_files::user_name(uid_t uid) {
  ::passwd entry{};
  std::vector<char> buffer;
  auto found =
    lookup_account(entry, buffer, [&](auto... args) { return ::getpwuid_r(uid, args...); });
  return found && *found ? entry.pw_name : std::to_string(uid);
}

std::string posix_files::group_name(gid_t gid) {
  ::group entry{};
  std::vector<char> buffer;
  auto found =
    lookup_account(entry, buffer, [&](auto... args) { return ::getgrgid_r(gid, args...); });
  return found && *found ? entry.gr_name : std::to_string(gid);
}

} // namespace harmony

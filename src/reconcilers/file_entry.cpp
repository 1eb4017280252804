#include "reconcilers/file_entry.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <utility>

namespace harmony {

outcome<std::uint32_t> parse_mode(const std::string& octal) {
  std::uint32_t mode = 0;
  const auto* end = octal.data() + octal.size();
  const auto [stop, error] = std::from_chars(octal.data(), end, mode, 8);
  if (error != std::errc{} || stop != end || mode > 07777)
    return {ec::invalid_spec, "'" + octal + "' is not a mode: write an octal string like \"0644\""};
  return mode;
}

std::string format_mode(std::uint32_t mode) {
  std::array<char, 16> text{};
  (void)std::snprintf(text.data(), text.size(), "%04o", mode);
  return text.data();
}

outcome<std::vector<change>> entry_differences(const std::string& mode,
                                               const observed_entry& seen) {
  const auto bits = parse_mode(mode);
  if (!bits)
    return bits.error();
  std::vector<change> changes;
  const auto& found = seen.found;
  if (found.mode != *bits)
    changes.push_back({action::update, "mode", format_mode(found.mode), format_mode(*bits)});
  if (found.uid != seen.wanted.uid)
    changes.push_back({action::update, "owner", seen.owner, seen.wanted_owner});
  if (found.gid != seen.wanted.gid)
    changes.push_back({action::update, "group", seen.group, seen.wanted_group});
  return changes;
}

std::string list_fields(const std::vector<change>& changes) {
  std::string text;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (i > 0)
      text += i + 1 == changes.size() ? " and " : ", ";
    text += changes[i].field;
  }
  return text;
}

outcome<observed_entry> observe_accounts(file_system& fs, observed_entry seen,
                                         const std::string& owner, const std::string& group) {
  auto wanted = fs.resolve(owner, group);
  if (!wanted)
    return wanted.error();
  seen.wanted = *wanted;
  // Names are for messages: looked up only where one will be shown.
  if (seen.found.type == file_type::absent)
    return seen;
  if (seen.found.uid != seen.wanted.uid) {
    seen.owner = fs.user_name(seen.found.uid);
    seen.wanted_owner = fs.user_name(seen.wanted.uid);
  }
  if (seen.found.gid != seen.wanted.gid) {
    seen.group = fs.group_name(seen.found.gid);
    seen.wanted_group = fs.group_name(seen.wanted.gid);
  }
  return seen;
}

} // namespace harmony

#include "topology/apt_output.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace harmony {

namespace {

constexpr std::size_t shown = 600; ///< bytes of a reason

using text = std::string_view;

text trimmed(text line) {
  const auto begin = line.find_first_not_of(" \t\r");
  if (begin == text::npos)
    return {};
  return line.substr(begin, line.find_last_not_of(" \t\r") - begin + 1);
}

template <class Visit>
void each_line(text all, const Visit& visit) {
  while (!all.empty()) {
    const auto end = all.find('\n');
    visit(all.substr(0, end));
    all.remove_prefix(end == text::npos ? all.size() : end + 1);
  }
}

/// Lines that begin a reason. Indented lines after one belong to it.
bool begins_reason(text line) {
  constexpr std::array<text, 4> marks{"E: ", "dpkg: ", "The following packages have unmet dep",
                                      "The following packages will be REMOVED:"};
  return !line.starts_with("dpkg: warning")
         && std::any_of(marks.begin(), marks.end(),
                        [&](text mark) { return line.starts_with(mark); });
}

std::string reason_in(text output) {
  std::vector<std::string> parts;
  text last;
  bool inside = false;
  each_line(output, [&](text line) {
    const auto words = trimmed(line);
    if (words.empty()) {
      inside = false;
      return;
    }
    last = words;
    const bool begins = begins_reason(line);
    inside = begins || (inside && line.front() == ' ');
    if (!inside)
      return;
    if (begins && std::find(parts.begin(), parts.end(), words) == parts.end())
      parts.emplace_back(words);
    else if (!begins && !parts.empty())
      parts.back().append(" ").append(words);
  });
  std::string reason;
  for (const auto& part : parts)
    reason.append(reason.empty() ? "" : "; ").append(part);
  if (reason.empty())
    reason = last;
  if (reason.size() > shown)
    reason.resize(shown);
  std::replace_if(
    reason.begin(), reason.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return reason;
}

ec code_of(text output) {
  constexpr std::array<std::pair<text, ec>, 5> meanings{{
    {"No space left on device", ec::disk_full},
    {"enough free space", ec::disk_full},
    {"Read-only file system", ec::read_only},
    {"E: Failed to fetch", ec::download_failed},
    {"E: Unable to fetch", ec::download_failed},
  }};
  for (const auto& [words, code] : meanings)
    if (output.find(words) != text::npos)
      return code;
  return ec::package_failed;
}

} // namespace

std::vector<std::string> listed_versions(text output, text package) {
  const auto name = package.substr(0, package.find(':'));
  std::vector<std::string> versions;
  each_line(output, [&](text line) {
    // "  libc6 | 2.36-9 | http://… Packages"
    const auto first = line.find(" | ");
    const auto second = first == text::npos ? first : line.find(" | ", first + 3);
    if (second == text::npos || trimmed(line.substr(second)).rfind(" Sources") != text::npos)
      return;
    const auto found = trimmed(line.substr(0, first));
    if (found == name || found == package)
      versions.emplace_back(trimmed(line.substr(first + 3, second - first - 3)));
  });
  return versions;
}

std::string lock_holder(text output) {
  std::string found;
  each_line(output, [&](text line) {
    if (line.find("Could not get lock") != text::npos
        || line.find("lock was locked by another process") != text::npos)
      found = trimmed(line);
  });
  return found;
}

failure apt_failure(text output, const std::string& doing) {
  const auto reason = reason_in(output);
  return {code_of(output),
          doing + " failed" + (reason.empty() ? ": see /var/log/dpkg.log" : ": " + reason)};
}

} // namespace harmony

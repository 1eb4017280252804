#include "core/mount_table.hpp"

#include <algorithm>
#include <sstream>

#include "core/policy.hpp"

namespace harmony {

namespace {

/// The kernel writes blanks and backslashes of a name as "\040".
std::string unescaped(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digit = [&](std::size_t at) {
      return at < text.size() && text[at] >= '0' && text[at] <= '7' ? text[at] - '0' : -1;
    };
    if (text[i] == '\\' && digit(i + 1) >= 0 && digit(i + 2) >= 0 && digit(i + 3) >= 0) {
      result += static_cast<char>(digit(i + 1) * 64 + digit(i + 2) * 8 + digit(i + 3));
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

/// `path`, which is within `from`, as it is called below `to`.
std::string moved(const std::string& path, const std::string& from, const std::string& to) {
  const auto rest = from == "/" ? (path == "/" ? "" : path) : path.substr(from.size());
  return to == "/" ? (rest.empty() ? "/" : rest) : to + rest;
}

} // namespace

mount_table mount_table::read(std::string_view mountinfo) {
  mount_table table;
  std::istringstream lines{std::string{mountinfo}};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields{line};
    std::string id;
    std::string parent;
    mounted m;
    if (fields >> id >> parent >> m.device >> m.root >> m.point) {
      m.root = unescaped(m.root);
      m.point = unescaped(m.point);
      table.mounts_.push_back(std::move(m));
    }
  }
  return table;
}

std::vector<std::string> mount_table::names_of(const std::string& path) const {
  std::vector<std::string> names{path};
  // The last of the deepest ones is what is seen.
  const mounted* at = nullptr;
  for (const auto& m : mounts_)
    if (is_within(path, m.point) && (at == nullptr || m.point.size() >= at->point.size()))
      at = &m;
  if (at == nullptr)
    return names;
  const auto inside = moved(path, at->point, at->root);
  for (const auto& m : mounts_)
    if (m.device == at->device && is_within(inside, m.root))
      if (auto name = moved(inside, m.root, m.point);
          std::find(names.begin(), names.end(), name) == names.end())
        names.push_back(std::move(name));
  return names;
}

std::vector<std::string> mount_table::names_below(const std::string& path) const {
  auto names = names_of(path);
  for (const auto& m : mounts_)
    if (m.point != path && is_within(m.point, path))
      for (auto& name : names_of(m.point))
        names.push_back(std::move(name));
  return names;
}

} // namespace harmony

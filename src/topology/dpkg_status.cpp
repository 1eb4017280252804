#include "topology/dpkg_status.hpp"

#include <optional>
#include <utility>

namespace harmony {

namespace {

package_condition condition_of(std::string_view word) {
  if (word == "installed")
    return package_condition::installed;
  if (word == "half-installed")
    return package_condition::broken;
  if (word == "not-installed" || word == "config-files")
    return package_condition::absent;
  // unpacked, half-configured, triggers-awaited, triggers-pending
  return package_condition::unconfigured;
}

/// Takes the text up to `end` off `text`, and `end` with it.
std::string_view take_until(std::string_view& text, std::string_view end) {
  const auto at = text.find(end);
  const auto piece = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + end.size());
  return piece;
}

/// The value of the line "NAME: value"; nothing where it is another field.
std::optional<std::string_view> value_of(std::string_view line, std::string_view name) {
  if (line.size() < name.size() + 1 || line.compare(0, name.size(), name) != 0
      || line[name.size()] != ':')
    return std::nullopt;
  line.remove_prefix(name.size() + 1);
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t'))
    line.remove_prefix(1);
  return line;
}

std::string key_of(std::string_view name, std::string_view architecture) {
  return std::string{name} + ":" + std::string{architecture};
}

} // namespace

struct dpkg_status::stanza {
  std::string_view name;
  std::string_view status; ///< three words: what is wanted, errors, the state
  std::string_view architecture;
  std::string_view version;
};

void dpkg_status::merge(std::string_view text) {
  while (!text.empty()) {
    auto lines = take_until(text, "\n\n");
    stanza s;
    while (!lines.empty()) {
      const auto line = take_until(lines, "\n");
      if (const auto name = value_of(line, "Package"))
        s.name = *name;
      else if (const auto status = value_of(line, "Status"))
        s.status = *status;
      else if (const auto architecture = value_of(line, "Architecture"))
        s.architecture = *architecture;
      else if (const auto version = value_of(line, "Version"))
        s.version = *version;
    }
    if (!s.name.empty())
      put(s);
  }
}

void dpkg_status::put(const stanza& s) {
  const auto word = s.status.substr(s.status.rfind(' ') + 1);
  package_info info{condition_of(word), {}, std::string{word}, false};
  if (info.condition != package_condition::absent)
    info.version = s.version;
  // An error flag asks for a new installation whatever the state is.
  if (s.status.find(" reinstreq ") != std::string_view::npos)
    info.condition = package_condition::broken;
  if (s.name == "dpkg")
    native_ = s.architecture;
  // A package changes between the device's architecture and "all" without a trace of the former.
  if (s.architecture == "all")
    packages_.erase(key_of(s.name, native_));
  else if (s.architecture == native_)
    packages_.erase(key_of(s.name, "all"));
  packages_.insert_or_assign(key_of(s.name, s.architecture), std::move(info));
}

dpkg_status::table::const_iterator dpkg_status::locate(std::string_view package) const {
  const auto name = take_until(package, ":");
  const auto architecture = package.empty() ? std::string_view{native_} : package;
  const auto found = packages_.find(key_of(name, architecture));
  return found == packages_.end() && architecture == native_ ? packages_.find(key_of(name, "all"))
                                                             : found;
}

package_info dpkg_status::find(std::string_view package) const {
  const auto found = locate(package);
  auto info = found == packages_.end() ? package_info{} : found->second;
  info.interrupted = interrupted_;
  return info;
}

std::string dpkg_status::full_name(std::string_view package) const {
  const auto found = locate(package);
  if (found == packages_.end())
    return std::string{package};
  std::string_view rest{found->first};
  const auto name = take_until(rest, ":");
  return rest == "all" ? std::string{name} : found->first;
}

} // namespace harmony

#include "topology/dpkg_database.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "topology/check_limits.hpp"

namespace harmony {

namespace {

constexpr int tries = 5; ///< to read status and journal of one moment

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

outcome<std::string> content_of(int fd, const std::string& path) {
  std::string content;
  std::array<char, 65536> buffer{};
  while (true) {
    const auto got = ::read(fd, buffer.data(), buffer.size());
    if (got == 0)
      return content;
    if (got > 0)
      content.append(buffer.data(), static_cast<std::size_t>(got));
    else if (errno != EINTR)
      return {ec::runtime_unavailable, "cannot read '" + path + "': " + error_text(errno)};
  }
}

/// Files of dpkg's journal, in their order: their names are numbers of one width.
std::vector<std::filesystem::path> journal_of(const std::string& folder) {
  std::vector<std::filesystem::path> found;
  std::error_code ignored; // without the folder there is no journal
  for (std::filesystem::directory_iterator at{folder + "/updates", ignored}, end; at != end;
       at.increment(ignored)) {
    const auto name = at->path().filename().string();
    if (std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; }))
      found.push_back(at->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

} // namespace

// -- dpkg_status ---------------------------------------------------------------------------------

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

// -- dpkg_database -------------------------------------------------------------------------------

outcome<std::shared_ptr<const dpkg_status>> dpkg_database::read() {
  const std::lock_guard guard{mutex_};
  for (int i = 0; i < tries; ++i) {
    auto status = read_once();
    if (!status || *status != nullptr)
      return status;
  }
  return {ec::runtime_unavailable, "'" + folder_ + "' changes faster than it can be read"};
}

outcome<std::shared_ptr<const dpkg_status>> dpkg_database::read_once() {
  // The journal's names first: what is taken out of it later is in the `status` read after that.
  const auto journal = journal_of(folder_);
  const auto path = folder_ + "/status";
  const open_fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  struct ::stat s {};
  if (!file || ::fstat(file.get(), &s) != 0)
    return {ec::runtime_unavailable, "cannot read '" + path + "': " + error_text(errno)};
  const identity found{s.st_dev, s.st_ino, s.st_size, s.st_mtim.tv_sec, s.st_mtim.tv_nsec};
  if (kept_ && journal.empty() && found == known_)
    return kept_;
  const auto content = content_of(file.get(), path);
  if (!content)
    return content.error();
  auto status = std::make_shared<dpkg_status>();
  status->merge(*content);
  for (const auto& each : journal) {
    const open_fd entry{::open(each.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!entry)
      return std::shared_ptr<const dpkg_status>{}; // taken out meanwhile: begin anew
    const auto change = content_of(entry.get(), each);
    if (!change)
      return change.error();
    status->merge(*change);
    status->set_interrupted();
  }
  if (journal.empty()) {
    kept_ = status;
    known_ = found;
  }
  return std::shared_ptr<const dpkg_status>{std::move(status)};
}

} // namespace harmony

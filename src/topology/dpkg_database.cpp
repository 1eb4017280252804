#include "topology/dpkg_database.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "topology/check_limits.hpp"

namespace harmony {

namespace {

constexpr int tries = 5; ///< to read status and journal of one moment

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

#include "topology/content_cache.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "fault/fault.hpp"
#include "topology/files_digest.hpp"
#include "topology/files_error.hpp"
#include "topology/output_file.hpp"

namespace harmony {

namespace fs = std::filesystem;

namespace {

/// A sink that also computes the hash, and the verdict on it.
class verifier {
public:
  verifier(const remote_content& source, const content_sink& sink) : source_(source), sink_(sink) {}

  outcome<void> take(std::string_view piece) {
    digest_.update(piece);
    return sink_(piece);
  }

  outcome<void> judge() {
    const auto got = digest_.hex();
    if (got == source_.sha256)
      return {};
    return {ec::checksum_mismatch, "'" + source_.url + "' has sha256 '" + got + "' and not '"
                                     + source_.sha256 + "': correct the sha256, or the file there"};
  }

private:
  const remote_content& source_;
  const content_sink& sink_;
  sha256_digest digest_;
};

/// Downloads `source` into `part`, which gets the name `path` once it is whole.
outcome<void> download_as(const remote_content& source, const std::string& part,
                          const std::string& path, const op_limits& limits) {
  HARMONY_FAULT("cache.create.before");
  const open_fd file{
    ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!file)
    return from_errno(errno, "create", part);
  HARMONY_FAULT("cache.create.after");
  auto done = download_verified(
    source,
    [&](std::string_view piece) -> outcome<void> {
      HARMONY_FAULT("cache.write.before");
      if (!write_all(file.get(), piece))
        return from_errno(errno, "write", part);
      HARMONY_FAULT("cache.write.after");
      return {};
    },
    limits);
  if (!done)
    return done;
  HARMONY_FAULT("cache.publish.before");
  if (::rename(part.c_str(), path.c_str()) != 0)
    return from_errno(errno, "rename", part);
  HARMONY_FAULT("cache.publish.after");
  return {};
}

} // namespace

outcome<void> download_verified(const remote_content& source, const content_sink& sink,
                                const op_limits& limits) {
  verifier check{source, sink};
  if (auto done = download(
        source.url, [&](std::string_view piece) { return check.take(piece); }, limits);
      !done)
    return done;
  return check.judge();
}

content_cache::content_cache(std::string folder) : folder_(std::move(folder)) {
  HARMONY_FAULT_OR("cache.empty.before", return );
  std::error_code ignored; // nothing there is the rule
  for (const auto& each : fs::directory_iterator(folder_, ignored))
    fs::remove(each.path(), ignored);
  HARMONY_FAULT_OR("cache.empty.after", return );
}

std::string content_cache::path_of(const remote_content& source) const {
  return folder_ + "/" + source.sha256;
}

void content_cache::make_room() const {
  std::error_code error;
  std::vector<std::pair<fs::file_time_type, fs::path>> all;
  for (const auto& each : fs::directory_iterator(folder_, error))
    all.emplace_back(each.last_write_time(error), each.path());
  std::sort(all.begin(), all.end());
  for (std::size_t i = 0; i + capacity <= all.size(); ++i)
    fs::remove(all[i].second, error);
}

outcome<void> content_cache::fetch(const remote_content& source, const op_limits& limits) {
  const auto path = path_of(source);
  if (::access(path.c_str(), F_OK) == 0)
    return {};
  if (auto made = make_private_folder(folder_); !made)
    return made;
  make_room();
  static std::atomic<unsigned> count = 0; // two resources may want the same content at once
  const auto part = path + ".part-" + std::to_string(++count);
  auto done = download_as(source, part, path, limits);
  if (!done)
    ::unlink(part.c_str());
  return done;
}

outcome<void> content_cache::read(const remote_content& source, const content_sink& sink,
                                  const op_limits& limits) {
  const auto path = path_of(source);
  const open_fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (!file)
    return download_verified(source, sink, limits);
  HARMONY_FAULT("cache.read");
  verifier check{source, sink}; // a disk may have spoilt it
  std::array<char, 65536> piece{};
  for (;;) {
    if (auto go_on = limits.check("reading '" + path + "'"); !go_on)
      return go_on;
    const auto n = ::read(file.get(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return from_errno(errno, "read", path);
    if (n == 0)
      break;
    if (auto taken = check.take({piece.data(), static_cast<std::size_t>(n)}); !taken)
      return taken;
  }
  HARMONY_FAULT("cache.drop.before");
  ::unlink(path.c_str());
  HARMONY_FAULT("cache.drop.after");
  return check.judge();
}

} // namespace harmony

#include "topology/systemd_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <system_error>
#include <vector>

#include "fault/fault.hpp"
#include "topology/files.hpp"
#include "topology/files_error.hpp"

namespace harmony {

namespace {

constexpr std::size_t most_bytes = 1 << 20;

failure failed(std::string_view what, const std::filesystem::path& path, int error) {
  return from_errno(error, what, path.string());
}

// Unique times: the clock has nanoseconds where the kernel's stamps have ticks. An owner may always
// set them; where that fails, the kernel's stamp has to do.
void stamp(int fd) {
  std::array<timespec, 2> times{};
  times[0].tv_nsec = UTIME_OMIT;
  ::clock_gettime(CLOCK_REALTIME, &times[1]);
  [[maybe_unused]] const auto r = ::futimens(fd, times.data());
}

// A name that is never a unit's and that the next attempt takes over after a crash.
std::string temporary_of(const std::string& name) {
  return "." + name + ".harmony-new";
}

outcome<void> write_temporary(int folder, const std::string& name,
                              const std::filesystem::path& path, std::string_view content) {
  HARMONY_FAULT("unit-file.write.before");
  ::unlinkat(folder, name.c_str(), 0);
  const open_fd file{
    ::openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644)};
  if (!file)
    return failed("create a file beside", path, errno);
  if (!write_all(file.get(), content) || ::fchmod(file.get(), 0644) != 0)
    return failed("write", path, errno);
  stamp(file.get());
  if (::fsync(file.get()) != 0)
    return failed("write", path, errno);
  HARMONY_FAULT("unit-file.write.after");
  return {};
}

outcome<void> sync_folder(int folder, const std::filesystem::path& path) {
  HARMONY_FAULT("unit-file.sync.before");
  stamp(folder);
  if (::fsync(folder) != 0)
    return failed("make durable", path, errno);
  HARMONY_FAULT("unit-file.sync.after");
  return {};
}

// The folders of `folder` that hold links to units, sorted.
std::vector<std::filesystem::path> link_folders(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> found;
  std::error_code error;
  std::filesystem::directory_iterator entry{folder, error};
  for (; !error && entry != std::filesystem::directory_iterator{}; entry.increment(error)) {
    const auto kind = entry->path().extension();
    if (kind == ".wants" || kind == ".requires" || kind == ".upholds")
      found.push_back(entry->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

} // namespace

outcome<unit_file> read_unit_file(const std::filesystem::path& path) {
  const open_fd file{::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  if (!file) {
    if (errno == ENOENT || errno == ENOTDIR)
      return unit_file{};
    if (errno == ENXIO) // a socket
      return unit_file{unit_file::kind::other, {}};
    if (errno != ELOOP)
      return failed("read", path, errno);
    std::error_code ignored;
    const auto target = std::filesystem::read_symlink(path, ignored);
    return unit_file{target == "/dev/null" ? unit_file::kind::masked : unit_file::kind::other, {}};
  }
  struct stat info {};
  if (::fstat(file.get(), &info) != 0)
    return failed("read", path, errno);
  if (!S_ISREG(info.st_mode) || static_cast<std::size_t>(info.st_size) > most_bytes)
    return unit_file{unit_file::kind::other, {}};
  unit_file found{unit_file::kind::regular, {}};
  std::array<char, 16384> buffer{};
  for (;;) {
    const auto n = ::read(file.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return failed("read", path, errno);
    if (n == 0)
      return found;
    found.content.append(buffer.data(), static_cast<std::size_t>(n));
    if (found.content.size() > most_bytes)
      return unit_file{unit_file::kind::other, {}};
  }
}

outcome<void> write_unit_file(const std::filesystem::path& path, std::string_view content,
                              overwrite how) {
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  const open_fd folder{::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!folder)
    return failed("open the folder of", path, errno);
  const auto name = path.filename().string();
  const auto temporary = temporary_of(name);
  if (auto done = write_temporary(folder.get(), temporary, path, content); !done) {
    ::unlinkat(folder.get(), temporary.c_str(), 0);
    return done;
  }
  HARMONY_FAULT("unit-file.rename.before");
  const auto flags = how == overwrite::no ? static_cast<unsigned>(RENAME_NOREPLACE) : 0U;
  if (::renameat2(folder.get(), temporary.c_str(), folder.get(), name.c_str(), flags) != 0) {
    const auto why = errno;
    ::unlinkat(folder.get(), temporary.c_str(), 0);
    if (why == EEXIST)
      return {ec::name_conflict, "'" + path.string()
                                   + "' is there and is not this agent's; remove it, or take the "
                                     "unit out of the manifest"};
    return failed("put in place", path, why);
  }
  HARMONY_FAULT("unit-file.rename.after");
  return sync_folder(folder.get(), path);
}

outcome<void> remove_unit_file(const std::filesystem::path& path) {
  const open_fd folder{::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!folder) {
    if (errno == ENOENT)
      return {};
    return failed("open the folder of", path, errno);
  }
  HARMONY_FAULT("unit-file.remove.before");
  // With what a write that was killed left behind.
  ::unlinkat(folder.get(), temporary_of(path.filename().string()).c_str(), 0);
  if (::unlinkat(folder.get(), path.filename().c_str(), 0) != 0 && errno != ENOENT)
    return failed("remove", path, errno);
  HARMONY_FAULT("unit-file.remove.after");
  return sync_folder(folder.get(), path);
}

std::map<std::string, std::string> enabling_links(const std::filesystem::path& folder) {
  std::map<std::string, std::string> links;
  for (const auto& from : link_folders(folder)) {
    std::error_code error;
    std::filesystem::directory_iterator entry{from, error};
    for (; !error && entry != std::filesystem::directory_iterator{}; entry.increment(error))
      links[entry->path().filename().string()] += from.filename().string() + " ";
  }
  return links;
}

bool is_linked(const std::filesystem::path& folder, const std::string& unit) {
  const auto folders = link_folders(folder);
  return std::any_of(folders.begin(), folders.end(), [&](const std::filesystem::path& from) {
    std::error_code ignored;
    return std::filesystem::is_symlink(std::filesystem::symlink_status(from / unit, ignored));
  });
}

} // namespace harmony

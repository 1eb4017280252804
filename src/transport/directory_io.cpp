#include "transport/directory_io.hpp"

#include <array>
#include <cerrno>
#include <ctime>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <system_error>
#include <unistd.h>

#include "fault/fault.hpp"

namespace harmony::directory {

namespace {

constexpr mode_t file_mode = 0640;
constexpr mode_t folder_mode = 0750;
constexpr mode_t parent_mode = 0755;

// A call again for as long as a signal cut it short.
template <class Call>
auto uninterrupted(Call call) {
  decltype(call()) result;
  do
    result = call();
  while (result == -1 && errno == EINTR);
  return result;
}

int make_one_folder(const std::filesystem::path& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) != 0)
    return errno == EEXIST ? 0 : errno;
  const open_fd parent{::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!parent || ::fsync(parent.get()) != 0)
    return errno;
  return 0;
}

} // namespace

failure from_errno(int error, const std::string& what) {
  auto message = "cannot " + what + ": " + std::generic_category().message(error);
  switch (error) {
  case ENOSPC:
  case EDQUOT: return {ec::disk_full, message + "; free some space"};
  case EROFS: return {ec::read_only, message + "; mount it writable"};
  case EACCES:
  case EPERM: return {ec::store_denied, message + "; run as its owner or change its mode"};
  case ENOENT:
  case ENOTDIR:
    return {ec::bucket_not_found, message + "; prepare the store first with 'harmonyctl init'"};
  default: return {ec::io_error, message};
  }
}

outcome<open_fd> open_folder(const std::filesystem::path& path) {
  open_fd folder{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!folder)
    return from_errno(errno, "open the store's folder '" + path.string() + "'");
  return folder;
}

outcome<void> make_folder(const std::filesystem::path& path) {
  std::filesystem::path made;
  for (auto part = path.begin(); part != path.end(); ++part) {
    made /= *part;
    const bool last = std::next(part) == path.end();
    if (made == made.root_path())
      continue;
    if (const int error = make_one_folder(made, last ? folder_mode : parent_mode); error != 0)
      return from_errno(error, "make the store's folder '" + made.string() + "'");
  }
  // What was there may be something else than a folder.
  const auto folder = open_folder(path);
  if (!folder)
    return {folder.error().code == ec::bucket_not_found ? ec::io_error : folder.error().code,
            folder.error().message};
  return {};
}

outcome<std::optional<file_content>> read_at(const open_fd& folder, const std::string& name) {
  const open_fd file{
    ::openat(folder.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
  if (!file && errno == ENOENT)
    return std::optional<file_content>{};
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0)
    return from_errno(errno, "read '" + name + "'");
  if (!S_ISREG(info.st_mode))
    return {ec::io_error, "cannot read '" + name + "': it is not a file; remove it"};
  file_content content;
  content.modified = info.st_mtim;
  content.bytes.resize(static_cast<std::size_t>(info.st_size));
  std::size_t have = 0;
  while (have < content.bytes.size()) {
    const auto got = uninterrupted(
      [&] { return ::read(file.get(), content.bytes.data() + have, content.bytes.size() - have); });
    if (got < 0)
      return from_errno(errno, "read '" + name + "'");
    if (got == 0)
      break;
    have += static_cast<std::size_t>(got);
  }
  content.bytes.resize(have);
  return std::optional{std::move(content)};
}

outcome<void> replace_at(const open_fd& folder, const std::string& name,
                         const std::string& temporary, std::string_view head, std::string_view body,
                         bool durable) {
  const auto failed = [&] {
    auto why = from_errno(errno, "write '" + name + "'");
    ::unlinkat(folder.get(), temporary.c_str(), 0);
    return why;
  };
  HARMONY_FAULT("directory.write.before");
  {
    const open_fd file{::openat(folder.get(), temporary.c_str(),
                                O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, file_mode)};
    if (!file || !write_all(file.get(), head) || !write_all(file.get(), body))
      return failed();
    if (durable && uninterrupted([&] { return ::fsync(file.get()); }) != 0)
      return failed();
    // The kernel's own stamp moves by a tick, some milliseconds.
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    const std::array stamps{now, now};
    if (!durable && ::futimens(file.get(), stamps.data()) != 0)
      return failed();
  }
  HARMONY_FAULT("directory.write.within");
  if (::renameat(folder.get(), temporary.c_str(), folder.get(), name.c_str()) != 0)
    return failed();
  if (durable && uninterrupted([&] { return ::fsync(folder.get()); }) != 0)
    return from_errno(errno, "make '" + name + "' durable");
  HARMONY_FAULT("directory.write.after");
  return {};
}

} // namespace harmony::directory

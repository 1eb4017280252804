#include "topology/files_posix.hpp"

#include <cerrno>
#include <cstdio>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fault/fault.hpp"
#include "topology/files_digest.hpp"

namespace harmony {

namespace {

file_type type_in(mode_t mode) {
  switch (mode & S_IFMT) {
  case S_IFREG: return file_type::regular;
  case S_IFDIR: return file_type::directory;
  case S_IFLNK: return file_type::symlink;
  case S_IFIFO: return file_type::fifo;
  case S_IFSOCK: return file_type::socket;
  default: return file_type::device;
  }
}

file_info info_in(const struct ::stat& s) {
  file_info info;
  info.type = type_in(s.st_mode);
  info.mode = s.st_mode & 07777;
  info.uid = s.st_uid;
  info.gid = s.st_gid;
  info.links = s.st_nlink;
  info.size = static_cast<std::uint64_t>(s.st_size);
  return info;
}

/// The way to a descriptor that was opened with O_PATH, for calls that refuse such a one.
std::string link_of(const open_fd& fd) {
  return "/proc/self/fd/" + std::to_string(fd.get());
}

outcome<void> done_or_errno(int result, std::string_view what, const std::string& path) {
  if (result == 0)
    return {};
  return from_errno(errno, what, path);
}

outcome<std::string> digest_of(int fd, const std::string& path, const op_limits& limits) {
  sha256_digest digest;
  std::vector<char> buffer(1U << 16);
  const auto doing = "reading '" + path + "'";
  for (;;) {
    if (auto go_on = limits.check(doing); !go_on)
      return go_on.error();
    const auto n = ::read(fd, buffer.data(), buffer.size());
    if (n == 0)
      return digest.hex();
    if (n > 0)
      digest.update({buffer.data(), static_cast<std::size_t>(n)});
    else if (errno != EINTR)
      return from_errno(errno, "read", path);
  }
}

failure in_the_way(const std::string& path) {
  return {ec::name_conflict, "'" + path
                               + "' has come into being meanwhile and is not this "
                                 "agent's: remove it, or set adopt: true"};
}

} // namespace

outcome<void> op_limits::check(std::string_view doing) const {
  if (cancel.stop_requested())
    return {ec::canceled, std::string{doing} + " was interrupted"};
  if (deadline != std::chrono::steady_clock::time_point::max()
      && std::chrono::steady_clock::now() >= deadline)
    return {ec::timed_out, std::string{doing} + " took longer than it may"};
  return {};
}

std::string_view describe(file_type t) noexcept {
  switch (t) {
  case file_type::absent: return "nothing";
  case file_type::regular: return "a file";
  case file_type::directory: return "a directory";
  case file_type::symlink: return "a symlink";
  case file_type::fifo: return "a FIFO";
  case file_type::socket: return "a socket";
  case file_type::device: return "a device";
  }
  return "nothing";
}

outcome<file_info> posix_files::look(const place& at) {
  struct ::stat s {};
  if (::fstatat(at.folder.get(), at.name.c_str(), &s, AT_SYMLINK_NOFOLLOW) == 0)
    return info_in(s);
  if (errno == ENOENT)
    return file_info{};
  return from_errno(errno, "look at", at.path);
}

outcome<file_info> posix_files::inspect(const place& at, const op_limits& limits) {
  HARMONY_FAULT("files.inspect");
  // O_PATH takes hold of what is there without opening it: a FIFO would hang, and some devices act
  // on being opened. Only what has proved to be a regular file is then opened through it.
  const open_fd held{::openat(at.folder.get(), at.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)};
  if (!held && errno == ENOENT)
    return file_info{};
  struct ::stat s {};
  if (!held || ::fstat(held.get(), &s) != 0)
    return from_errno(errno, "look at", at.path);
  auto info = info_in(s);
  if (info.type != file_type::regular)
    return info;
  const open_fd readable{::open(link_of(held).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  if (!readable && errno == EACCES)
    return info;
  if (!readable)
    return from_errno(errno, "read", at.path);
  auto digest = digest_of(readable.get(), at.path, limits);
  if (!digest)
    return digest.error();
  info.sha256 = std::move(*digest);
  return info;
}

outcome<temporary> posix_files::create_temporary(const place& at, const std::string& name) {
  if (auto gone = discard(at, name); !gone)
    return gone.error();
  HARMONY_FAULT("files.temporary.before");
  open_fd fd{::openat(at.folder.get(), name.c_str(),
                      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (!fd)
    return from_errno(errno, "create a temporary file for", at.path);
  HARMONY_FAULT("files.temporary.after");
  return temporary{std::move(fd), name, at.path};
}

outcome<void> posix_files::write(const temporary& file, std::string_view bytes) {
  HARMONY_FAULT("files.write.before");
  if (!write_all(file.fd.get(), bytes))
    return from_errno(errno, "write", file.path);
  HARMONY_FAULT("files.write.after");
  return {};
}

outcome<void> posix_files::set_owner(const temporary& file, account_ids ids) {
  HARMONY_FAULT("files.owner.before");
  const int result = ::fchown(file.fd.get(), ids.uid, ids.gid);
  HARMONY_FAULT("files.owner.after");
  return done_or_errno(result, "set owner and group of", file.path);
}

outcome<void> posix_files::set_mode(const temporary& file, std::uint32_t mode) {
  HARMONY_FAULT("files.mode.before");
  const int result = ::fchmod(file.fd.get(), mode);
  HARMONY_FAULT("files.mode.after");
  return done_or_errno(result, "set the mode of", file.path);
}

outcome<void> posix_files::sync(const temporary& file) {
  HARMONY_FAULT("files.sync.before");
  const int result = ::fsync(file.fd.get());
  HARMONY_FAULT("files.sync.after");
  return done_or_errno(result, "write to disk", file.path);
}

outcome<void> posix_files::publish(const place& at, const temporary& file, bool may_replace) {
  HARMONY_FAULT("files.publish.before");
  const int folder = at.folder.get();
  const auto flags = may_replace ? 0U : unsigned{RENAME_NOREPLACE};
  int result = ::renameat2(folder, file.name.c_str(), folder, at.name.c_str(), flags);
  // Some file systems (NFS) know no NOREPLACE, but no link(2) replaces anything.
  if (result != 0 && errno == EINVAL && !may_replace) {
    result = ::linkat(folder, file.name.c_str(), folder, at.name.c_str(), 0);
    if (result == 0)
      return discard(at, file.name);
  }
  if (result != 0 && (errno == EEXIST || errno == EISDIR || errno == ENOTEMPTY))
    return in_the_way(at.path);
  HARMONY_FAULT("files.publish.after");
  return done_or_errno(result, "put into place", at.path);
}

outcome<void> posix_files::discard(const place& at, const std::string& name) {
  HARMONY_FAULT("files.discard.before");
  if (::unlinkat(at.folder.get(), name.c_str(), 0) != 0 && errno != ENOENT)
    return from_errno(errno, "remove a temporary file of", at.path);
  HARMONY_FAULT("files.discard.after");
  return {};
}

outcome<void> posix_files::sync_folder(const place& at) {
  HARMONY_FAULT("files.sync-folder.before");
  const open_fd folder{::openat(at.folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  // A folder that may be written and not read cannot be synced either; all else is done.
  if (!folder && errno == EACCES)
    return {};
  if (!folder)
    return from_errno(errno, "open the folder of", at.path);
  const int result = ::fsync(folder.get());
  HARMONY_FAULT("files.sync-folder.after");
  return done_or_errno(result, "write to disk the folder of", at.path);
}

outcome<void> posix_files::amend(const place& at, std::optional<account_ids> ids,
                                 std::optional<std::uint32_t> mode) {
  HARMONY_FAULT("files.amend.before");
  const open_fd held{::openat(at.folder.get(), at.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)};
  struct ::stat s {};
  if (!held || ::fstat(held.get(), &s) != 0)
    return from_errno(errno, "look at", at.path);
  // The owner of the folder could have put a second name of /etc/shadow here.
  const bool safe = S_ISDIR(s.st_mode) || (S_ISREG(s.st_mode) && s.st_nlink == 1);
  if (!safe)
    return in_the_way(at.path);
  // Owner first: chown takes set-user-id bits away.
  if (ids && ::fchownat(held.get(), "", ids->uid, ids->gid, AT_EMPTY_PATH) != 0)
    return from_errno(errno, "set owner and group of", at.path);
  if ((mode || ids) && ::chmod(link_of(held).c_str(), mode.value_or(s.st_mode & 07777)) != 0)
    return from_errno(errno, "set the mode of", at.path);
  HARMONY_FAULT("files.amend.after");
  const open_fd open{::open(link_of(held).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  if (!open) // not readable by its owner: the next sync of the file system will have to do
    return {};
  return done_or_errno(::fsync(open.get()), "write to disk", at.path);
}

outcome<void> posix_files::remove_file(const place& at) {
  HARMONY_FAULT("files.remove.before");
  if (::unlinkat(at.folder.get(), at.name.c_str(), 0) != 0 && errno != ENOENT)
    return from_errno(errno, "remove", at.path);
  HARMONY_FAULT("files.remove.after");
  return {};
}

outcome<void> posix_files::make_folder(const place& at) {
  HARMONY_FAULT("files.make-folder.before");
  if (::mkdirat(at.folder.get(), at.name.c_str(), 0700) != 0)
    return errno == EEXIST ? in_the_way(at.path) : from_errno(errno, "create folder", at.path);
  HARMONY_FAULT("files.make-folder.after");
  return {};
}

outcome<bool> posix_files::remove_folder(const place& at) {
  HARMONY_FAULT("files.remove-folder.before");
  if (::unlinkat(at.folder.get(), at.name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) {
    HARMONY_FAULT("files.remove-folder.after");
    return true;
  }
  // EBUSY: something is mounted there.
  if (errno == ENOTEMPTY || errno == EEXIST || errno == EBUSY)
    return false;
  return from_errno(errno, "remove folder", at.path);
}

} // namespace harmony

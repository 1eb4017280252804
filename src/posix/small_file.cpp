#include "posix/small_file.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix/descriptor.hpp"

namespace harmony {

namespace {

std::string octal(mode_t mode) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", mode & 07777U);
  return text.data();
}

/// Who else may change the file; empty: nobody.
std::string other_writers(const struct stat& info) {
  if (info.st_uid != 0 && info.st_uid != ::geteuid())
    return "belongs to another user (uid " + std::to_string(info.st_uid) + ")";
  if ((info.st_mode & S_IWOTH) != 0)
    return "can be written by everybody";
  if ((info.st_mode & S_IWGRP) != 0 && info.st_gid != ::getegid())
    return "can be written by another group (gid " + std::to_string(info.st_gid) + ")";
  return {};
}

std::string owner_wanted() {
  return ::geteuid() == 0 ? "root" : "yourself or root";
}

/// What is wrong with whose hands it is in, and how to mend it; empty: nothing.
std::string exposure(const struct stat& info, file_keeping keeping, const std::string& path) {
  constexpr unsigned others = 077;
  switch (keeping) {
  case file_keeping::anybodys: break;
  case file_keeping::guarded:
    if (const auto who = other_writers(info); !who.empty())
      return "'" + path + "' " + who + ", who could command this device by it; chown it to "
             + owner_wanted() + ", chmod go-w";
    break;
  case file_keeping::secret:
    if ((info.st_mode & others) != 0)
      return "'" + path + "' is a secret, and others than its owner reach it (mode "
             + octal(info.st_mode) + "); chmod 0600 " + path
             + ", and have a new one if somebody may have read it";
    if (info.st_uid != 0 && info.st_uid != ::geteuid())
      return "'" + path + "' is a secret, and belongs to another user (uid "
             + std::to_string(info.st_uid) + "); chown it to " + owner_wanted()
             + ", or run this as that user";
    break;
  }
  return {};
}

std::string size_text(std::size_t most_bytes) {
  constexpr std::size_t kibi = 1024;
  return most_bytes % (kibi * kibi) == 0 ? std::to_string(most_bytes / kibi / kibi) + " MiB"
                                         : std::to_string(most_bytes) + " bytes";
}

struct opened_file {
  open_fd fd;
  std::size_t size = 0;
};

/// Opens it and judges what was opened.
outcome<opened_file> open_small(const std::string& path, const small_file_terms& terms) {
  const auto doing = "read '" + path + "'";
  const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  opened_file file{open_fd{::open(path.c_str(), terms.follow_link ? flags : flags | O_NOFOLLOW)}};
  if (!file.fd && errno == ELOOP && !terms.follow_link)
    return failure{ec::io_error, "cannot " + doing
                                   + ": it is a symbolic link, which is not followed; put the "
                                     "file itself there"};
  struct stat info {};
  if (!file.fd || ::fstat(file.fd.get(), &info) != 0)
    return failure_of(errno, doing);
  if (!S_ISREG(info.st_mode))
    return failure{ec::io_error, "cannot " + doing + ": it is no regular file"};
  if (auto wrong = exposure(info, terms.keeping, path); !wrong.empty())
    return failure{ec::permission_denied, std::move(wrong)};
  file.size = static_cast<std::size_t>(info.st_size);
  if (file.size > terms.most_bytes)
    return failure{ec::io_error,
                   "cannot " + doing + ": it has more than " + size_text(terms.most_bytes)};
  return file;
}

} // namespace

// One allocation, so that no copy of a secret is left behind where the text grew.
outcome<secret_bytes> read_small_file(const std::string& path, const small_file_terms& terms) {
  const auto doing = "read '" + path + "'";
  const auto file = open_small(path, terms);
  if (!file)
    return file.error();
  std::string bytes(file->size + 1, '\0'); // one more: it may grow
  std::size_t size = 0;
  ssize_t got = 1;
  while (got != 0 && size < bytes.size()) {
    got = ::read(file->fd.get(), bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0) {
      auto why = failure_of(errno, doing);
      wipe(bytes);
      return why;
    }
    size += static_cast<std::size_t>(got);
  }
  bytes.resize(size);
  secret_bytes content{std::move(bytes)};
  if (size > file->size)
    return failure{ec::io_error, "cannot " + doing + ": it changes while it is read"};
  return content;
}

outcome<void> check_small_file(const std::string& path, const small_file_terms& terms) {
  const auto file = open_small(path, terms);
  return file ? outcome<void>{} : outcome<void>{file.error()};
}

failure failure_of(int error, const std::string& doing) {
  const auto message = "cannot " + doing + ": " + std::generic_category().message(error);
  switch (error) {
  case ENOENT: return {ec::not_found, message};
  case EACCES:
  case EPERM: return {ec::permission_denied, message};
  case EEXIST: return {ec::name_conflict, message};
  case ENOSPC:
  case EDQUOT: return {ec::disk_full, message};
  case EROFS: return {ec::read_only, message};
  default: return {ec::io_error, message};
  }
}

} // namespace harmony

#include "guard/data_directory.hpp"

#include <cerrno>
#include <charconv>
#include <cstdlib>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guard/system.hpp"

namespace harmony::guard {

namespace {

constexpr const char* standby_signal = "standby.signal";
constexpr int first_with_standby_signal = 12;

/// The rights of this process to files are those of another user while this lives.
class acting_as {
public:
  acting_as(uid_t user, gid_t group) {
    ::setfsgid(group);
    ::setfsuid(user);
  }
  ~acting_as() {
    ::setfsuid(::geteuid());
    ::setfsgid(::getegid());
  }
  acting_as(const acting_as&) = delete;
  acting_as& operator=(const acting_as&) = delete;
};

outcome<> failed(const std::string& what, const std::string& folder) {
  const int error = errno;
  return {ec::io_error, because(what + " in '" + folder + "'", error)};
}

std::string octal(mode_t mode) {
  std::string text = "0000";
  for (std::size_t i = text.size(); i-- > 1; mode >>= 3)
    text[i] = static_cast<char>('0' + (mode & 7));
  return text;
}

/// What PostgreSQL itself would refuse, and what a mistaken chown leaves.
outcome<> check_owner(const std::string& path, int folder, const struct stat& s) {
  const auto user = std::to_string(s.st_uid);
  if (s.st_uid == 0)
    return {ec::invalid_spec, "the data directory '" + path
                                + "' belongs to root, as whom PostgreSQL does not run: chown it to "
                                  "its user, such as postgres"};
  if (::geteuid() != 0 && ::geteuid() != s.st_uid)
    return {ec::permission_denied, "the data directory '" + path + "' belongs to user " + user
                                     + " and the guard runs as user " + std::to_string(::geteuid())
                                     + ": run it as root or as that user"};
  if ((s.st_mode & 0027) != 0)
    return {ec::invalid_spec, "the data directory '" + path + "' has mode "
                                + octal(s.st_mode & 0777) + ": PostgreSQL takes 0700 or 0750 only"};
  struct stat control {};
  const bool seen = ::fstatat(folder, "global/pg_control", &control, AT_SYMLINK_NOFOLLOW) == 0;
  if (!seen && errno != EACCES)
    return {ec::invalid_spec, "the data directory '" + path
                                + "' has no 'global/pg_control': initialise it with initdb or "
                                  "take a base backup"};
  if (!seen || control.st_uid != s.st_uid)
    return {ec::invalid_spec, "the data directory '" + path + "' belongs to user " + user
                                + ", and what is in it to another: chown -R it"};
  return {};
}

} // namespace

outcome<data_directory> data_directory::open(const std::string& path) {
  const auto unopened = [&]() -> failure {
    const int error = errno;
    return {ec::io_error, because("the data directory '" + path + "' cannot be opened", error)};
  };
  data_directory d;
  d.path_ = path;
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0)
    return unopened();
  const acting_as owner{s.st_uid, s.st_gid};
  d.folder_ = open_fd{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!d.folder_ || ::fstat(d.folder_.get(), &s) != 0)
    return unopened();
  d.owner_ = s.st_uid;
  d.group_ = s.st_gid;
  d.device_ = s.st_dev;
  d.inode_ = s.st_ino;
  if (auto fine = check_owner(path, d.folder_.get(), s); !fine)
    return fine.error();
  if (::flock(d.folder_.get(), LOCK_EX | LOCK_NB) != 0)
    return {ec::name_conflict,
            "another guard holds the data directory '" + path + "': only one may; stop it first"};
  d.major_ = read_text(d.folder_.get(), "PG_VERSION");
  while (!d.major_.empty() && d.major_.back() == '\n')
    d.major_.pop_back();
  if (d.major_.empty())
    return {ec::invalid_spec, "the data directory '" + path
                                + "' has no 'PG_VERSION': it is no data directory, or a copy that "
                                  "did not end"};
  int number = 0;
  std::from_chars(d.major_.data(), d.major_.data() + d.major_.size(), number);
  if (number < first_with_standby_signal)
    return {ec::invalid_spec,
            "the data directory '" + path + "' is of PostgreSQL '" + d.major_
              + "', which knows no 'standby.signal': the guard needs 12 or newer"};
  return d;
}

bool data_directory::current() const {
  struct stat s {};
  return ::stat(path_.c_str(), &s) == 0 && s.st_dev == device_ && s.st_ino == inode_;
}

outcome<> data_directory::add_standby_signal() const {
  const acting_as owner{owner_, group_};
  const open_fd file{
    ::openat(fd(), standby_signal, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!file || ::fsync(file.get()) != 0 || ::fsync(fd()) != 0)
    return failed("cannot write 'standby.signal'", path_);
  return {};
}

outcome<> data_directory::remove_standby_signal() const {
  const acting_as owner{owner_, group_};
  if ((::unlinkat(fd(), standby_signal, 0) != 0 && errno != ENOENT) || ::fsync(fd()) != 0)
    return failed("cannot remove 'standby.signal'", path_);
  return {};
}

bool data_directory::lacks_standby_signal() const {
  const acting_as owner{owner_, group_};
  struct stat s {};
  return ::fstatat(fd(), standby_signal, &s, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

outcome<open_fd> data_directory::watch() const {
  const acting_as owner{owner_, group_};
  constexpr auto interesting = IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM;
  const auto folder = "/proc/self/fd/" + std::to_string(fd());
  open_fd events{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
  if (!events || ::inotify_add_watch(events.get(), folder.c_str(), interesting) < 0) {
    const int error = errno;
    return {ec::io_error, because("cannot watch '" + path_ + "'", error)};
  }
  return events;
}

outcome<> data_directory::add_promote() const {
  const acting_as owner{owner_, group_};
  const open_fd file{::openat(fd(), "promote", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!file)
    return failed("cannot write 'promote'", path_);
  return {};
}

bool data_directory::has_started(pid_t postmaster) const {
  if (postmaster_on_record() != postmaster)
    return false;
  const acting_as owner{owner_, group_};
  const auto text = read_text(fd(), "postmaster.pid");
  // The last line is its status: "starting", "stopping"; "ready" also of a standby that is read.
  return text.find("\nready") != std::string::npos || text.find("\nstandby") != std::string::npos;
}

pid_t data_directory::postmaster_on_record() const {
  const acting_as owner{owner_, group_};
  const auto text = read_text(fd(), "postmaster.pid");
  pid_t pid = 0;
  std::from_chars(text.data(), text.data() + text.size(), pid);
  return std::abs(pid); // a server of one user writes it negated
}

} // namespace harmony::guard

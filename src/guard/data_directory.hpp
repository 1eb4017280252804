#pragma once

#include <string>

#include <sys/types.h>

#include "model/outcome.hpp"
#include "posix/descriptor.hpp"

namespace harmony::guard {

/// A PostgreSQL data directory that this process holds: no other guard does. What it does inside,
/// it does with its owner's rights, never with root's: the owner may put any link there.
///
/// Invariant of the guard: where PostgreSQL does not run, `standby.signal` is there, so that
/// whoever starts it (a unit, a person, a boot after a power cut) starts a standby.
class data_directory {
public:
  /// Fails with a sentence that says which rule it breaks: it is no folder, its owner is root or
  /// another than the guard's user, its mode lets others in, it is no data directory, or another
  /// guard holds it (name_conflict).
  static outcome<data_directory> open(const std::string& path);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int fd() const { return folder_.get(); }
  [[nodiscard]] uid_t owner() const { return owner_; }
  [[nodiscard]] gid_t group() const { return group_; }
  /// Of PG_VERSION: "15".
  [[nodiscard]] const std::string& major() const { return major_; }

  /// Whether the path still leads to this folder: it may have been set aside for a copy.
  [[nodiscard]] bool current() const;

  /// These are durable when they return.
  [[nodiscard]] outcome<> add_standby_signal() const;
  [[nodiscard]] outcome<> remove_standby_signal() const;
  /// Whether that file is known to be gone.
  [[nodiscard]] bool lacks_standby_signal() const;

  /// An inotify descriptor that tells of files which come to the folder or leave it.
  [[nodiscard]] outcome<open_fd> watch() const;

  /// The file by which PostgreSQL is told to become a primary (pg_ctl makes it, too).
  [[nodiscard]] outcome<> add_promote() const;

  /// Whether postmaster.pid says that `postmaster` has started, and so listens to signals.
  [[nodiscard]] bool has_started(pid_t postmaster) const;

  /// Of postmaster.pid, whether or not it lives; 0: none.
  [[nodiscard]] pid_t postmaster_on_record() const;

private:
  data_directory() = default;

  std::string path_;
  std::string major_;
  open_fd folder_;
  uid_t owner_ = 0;
  gid_t group_ = 0;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

} // namespace harmony::guard

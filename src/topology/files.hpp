#pragma once

// The capability `has_files`: what a reconciler may do to the device's file system. Every operation
// on a path goes through a descriptor of its folder, which was opened without following a single
// symlink; so nobody who may write below can lead the agent somewhere else, not even in mid-way.

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include <sys/types.h>

#include "model/outcome.hpp"
#include "posix/descriptor.hpp"
#include "topology/files_error.hpp"

namespace harmony {

/// When a long operation ends early.
struct op_limits {
  std::stop_token cancel;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();

  /// Fails with canceled or timed_out once one of the two has come. `doing` begins the message,
  /// e.g. "writing '/etc/motd'".
  [[nodiscard]] outcome<void> check(std::string_view doing) const;
};

enum class file_type { absent, regular, directory, symlink, fifo, socket, device };

/// "nothing", "a file", "a directory", … for messages.
std::string_view describe(file_type t) noexcept;

struct file_info {
  file_type type = file_type::absent;
  std::uint32_t mode = 0; ///< permission bits, 07777
  uid_t uid = 0;
  gid_t gid = 0;
  std::uint64_t links = 0;
  std::uint64_t size = 0; ///< bytes
  std::string sha256;     ///< of the content, only from `inspect` of a readable file

  friend bool operator==(const file_info&, const file_info&) = default;
};

struct account_ids {
  uid_t uid = 0;
  gid_t gid = 0;

  friend bool operator==(const account_ids&, const account_ids&) = default;
};

/// A name in an open folder: there may or may not be something of that name.
struct place {
  open_fd folder;
  std::string path; ///< the whole path, for messages
  std::string name;
};

/// A file that is being written beside its place.
struct temporary {
  open_fd fd;
  std::string name;
  std::string path; ///< of the place it is for, for messages
};

/// The port. Calls are thread-safe, block, and fail as `from_errno` says. What each does is one
/// step: the agent may be killed between any two.
class file_system {
public:
  virtual ~file_system() = default;

  /// Opens the folder of the absolute `path`. Fails with unsafe_path when a part of it is a symlink
  /// or no folder, and with not_found when the folder is not there.
  virtual outcome<place> open_place(const std::string& path) = 0;

  /// What is there. Never opens it, follows no symlink.
  virtual outcome<file_info> look(const place& at) = 0;

  /// The same with the hash of a regular file's content. Anything else (a FIFO, a device) is not
  /// opened. A file that may not be read has no hash.
  virtual outcome<file_info> inspect(const place& at, const op_limits& limits) = 0;

  /// Makes an empty file `name` (mode 0600) beside `at`, in the place of a stale one of that name.
  virtual outcome<temporary> create_temporary(const place& at, const std::string& name) = 0;
  virtual outcome<void> write(const temporary& file, std::string_view bytes) = 0;
  virtual outcome<void> set_owner(const temporary& file, account_ids ids) = 0;
  virtual outcome<void> set_mode(const temporary& file, std::uint32_t mode) = 0;
  virtual outcome<void> sync(const temporary& file) = 0;

  /// Gives `file` its name. Without `may_replace`, fails with name_conflict when something has that
  /// name already; a directory is never replaced.
  virtual outcome<void> publish(const place& at, const temporary& file, bool may_replace) = 0;

  /// Removes the temporary `name` beside `at`; one that is not there is success.
  virtual outcome<void> discard(const place& at, const std::string& name) = 0;

  /// Makes what happened in the folder of `at` durable.
  virtual outcome<void> sync_folder(const place& at) = 0;

  /// Changes owner and mode of the file or directory at `at` in place, durably. Fails with
  /// name_conflict when it is neither, or a file with a second name somewhere else.
  virtual outcome<void> amend(const place& at, std::optional<account_ids> ids,
                              std::optional<std::uint32_t> mode) = 0;

  /// Unlinks a file, which may be gone already.
  virtual outcome<void> remove_file(const place& at) = 0;

  /// Makes a folder (mode 0700). Fails with name_conflict when something is there.
  virtual outcome<void> make_folder(const place& at) = 0;

  /// Removes a folder if it is empty; gives false when it is not.
  virtual outcome<bool> remove_folder(const place& at) = 0;

  /// Ids of a user and a group by name or number. Empty: the agent's own user, the user's primary
  /// group. Fails with no_such_user.
  virtual outcome<account_ids> resolve(const std::string& owner, const std::string& group) = 0;

  /// The names, or the numbers where there are none.
  virtual std::string user_name(uid_t uid) = 0;
  virtual std::string group_name(gid_t gid) = 0;
};

/// A topology that can manage files.
template <class T>
concept has_files = requires(T& t) {
  { t.files() } -> std::convertible_to<file_system&>;
};

} // namespace harmony

#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "model/outcome.hpp"
#include "posix/descriptor.hpp"

/// The system calls of the directory store, with errors as outcomes.
namespace harmony::directory {

/// The failure for `error` (an errno): disk_full, read_only, store_denied, bucket_not_found for a
/// missing folder, io_error for the rest. `what` begins the message: "write '/x/y'".
failure from_errno(int error, const std::string& what);

/// Opens an existing folder. Fails with bucket_not_found when there is none.
outcome<open_fd> open_folder(const std::filesystem::path& path);

/// Makes a folder (mode 0750 less the umask) and its parents (0755), each made durable. An existing
/// one is left as it is.
outcome<void> make_folder(const std::filesystem::path& path);

struct file_content {
  std::string bytes;
  timespec modified{};
};

/// Reads file `name` of `folder`; nothing when there is none.
outcome<std::optional<file_content>> read_at(const open_fd& folder, const std::string& name);

/// Replaces file `name` of `folder` by `head` and `body`, so that a reader sees the old content or
/// the new one, also after a power cut when `durable`. `temporary` is the name that it is written
/// under; no other writer may use it at the same time.
outcome<void> replace_at(const open_fd& folder, const std::string& name,
                         const std::string& temporary, std::string_view head, std::string_view body,
                         bool durable);

} // namespace harmony::directory

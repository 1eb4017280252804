#pragma once

#include "topology/files.hpp"

namespace harmony {

/// Opens the folder `path` (absolute) part by part without following symlinks, and says which part
/// is at fault. What `posix_files` does where the kernel has no openat2 (before 5.6), and to
/// explain its refusals.
outcome<open_fd> walk_to_folder(const std::string& path);

/// The file system of this device.
class posix_files final : public file_system {
public:
  outcome<place> open_place(const std::string& path) override;
  outcome<file_info> look(const place& at) override;
  outcome<file_info> inspect(const place& at, const op_limits& limits) override;
  outcome<temporary> create_temporary(const place& at, const std::string& name) override;
  outcome<void> write(const temporary& file, std::string_view bytes) override;
  outcome<void> set_owner(const temporary& file, account_ids ids) override;
  outcome<void> set_mode(const temporary& file, std::uint32_t mode) override;
  outcome<void> sync(const temporary& file) override;
  outcome<void> publish(const place& at, const temporary& file, bool may_replace) override;
  outcome<void> discard(const place& at, const std::string& name) override;
  outcome<void> sync_folder(const place& at) override;
  outcome<void> amend(const place& at, std::optional<account_ids> ids,
                      std::optional<std::uint32_t> mode) override;
  outcome<void> remove_file(const place& at) override;
  outcome<void> make_folder(const place& at) override;
  outcome<bool> remove_folder(const place& at) override;
  outcome<account_ids> resolve(const std::string& owner, const std::string& group) override;
  std::string user_name(uid_t uid) override;
  std::string group_name(gid_t gid) override;
};

/// The smallest topology with files: this device's own.
class posix_device {
public:
  posix_files& files() noexcept { return files_; }

private:
  posix_files files_;
};

static_assert(has_files<posix_device>);

} // namespace harmony

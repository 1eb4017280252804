#pragma once

// Unit files on disk, replaced in one step and durably.

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "model/outcome.hpp"

namespace harmony {

/// What lies at a unit file's place.
struct unit_file {
  enum class kind {
    absent,
    regular, ///< `content` holds it
    masked,  ///< a link to /dev/null
    other    ///< another link, a folder, a device, or more than 1 MiB
  };
  kind what = kind::absent;
  std::string content;
};

/// Reads the unit file at `path`; follows no link and never blocks. Fails with permission_denied or
/// io_error.
outcome<unit_file> read_unit_file(const std::filesystem::path& path);

enum class overwrite { no, yes };

/// Writes `content` to `path` (mode 0644): a temporary file beside it, fsync, rename, fsync of the
/// folder, which is made where it is missing. With overwrite::no fails with name_conflict when
/// something is there. At most one writer a path at a time.
///
/// Leaves modification times that differ from all earlier ones (the kernel's own may repeat for
/// 4 ms), so that the service manager, which compares them, cannot miss the change.
outcome<void> write_unit_file(const std::filesystem::path& path, std::string_view content,
                              overwrite how);

/// Removes the file at `path`, durably. One that is gone is success.
outcome<void> remove_unit_file(const std::filesystem::path& path);

/// The links in the `.wants`, `.requires` and `.upholds` folders of a unit folder, by unit: the
/// names of those folders, sorted, each followed by a space. What cannot be read counts as empty.
std::map<std::string, std::string> enabling_links(const std::filesystem::path& folder);

/// Whether enabling_links has `unit`.
bool is_linked(const std::filesystem::path& folder, const std::string& unit);

} // namespace harmony

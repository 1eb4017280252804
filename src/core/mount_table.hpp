#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace harmony {

/// The mounts of this device, as /proc/self/mountinfo lists them: by which names one thing goes.
class mount_table {
public:
  /// Total: lines that cannot be read are left out.
  static mount_table read(std::string_view mountinfo);

  /// Every name of what is at `path` (absolute, without symlinks), `path` first: what a bind mount
  /// shows again somewhere else has several.
  [[nodiscard]] std::vector<std::string> names_of(const std::string& path) const;

  /// The same, and those of everything that is mounted below it.
  [[nodiscard]] std::vector<std::string> names_below(const std::string& path) const;

private:
  struct mounted {
    std::string device; ///< "8:1"
    std::string root;   ///< the folder of its file system that is shown
    std::string point;  ///< where
  };
  std::vector<mounted> mounts_;
};

} // namespace harmony

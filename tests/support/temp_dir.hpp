#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace harmony::test {

/// A private folder (mode 0700) under $TMPDIR or /tmp that goes with this object, with everything
/// in it.
class temp_dir {
public:
  /// Throws std::filesystem::filesystem_error when the folder cannot be made.
  temp_dir();
  ~temp_dir();
  temp_dir(const temp_dir&) = delete;
  temp_dir& operator=(const temp_dir&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] std::string str() const { return path_.string(); }

  /// `path() / name`. Nothing is created.
  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const {
    return path_ / name;
  }

private:
  std::filesystem::path path_;
};

/// The content of a file. Throws std::runtime_error when it cannot be read.
std::string read_file(const std::filesystem::path& path);

/// Writes a file, making its folders; no fsync. Throws std::runtime_error when it cannot.
void write_file(const std::filesystem::path& path, std::string_view content);

} // namespace harmony::test

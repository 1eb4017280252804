#include "identity/secret_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "posix/descriptor.hpp"
#include "posix/small_file.hpp"
#include "posix/write_beside.hpp"

namespace harmony {

namespace {

constexpr mode_t for_owner = 0600;
constexpr mode_t for_all = 0644;

bool write_durably(int fd, const std::string& content) {
  return write_all(fd, content) && ::fsync(fd) == 0;
}

/// Whether what is there lacks the end of its last line, as an editor may leave it.
bool ends_within_line(int fd) {
  struct stat info {};
  char last = '\n';
  return ::fstat(fd, &info) == 0 && info.st_size > 0 && ::pread(fd, &last, 1, info.st_size - 1) == 1
         && last != '\n';
}

} // namespace

outcome<std::string> read_text_file(const std::string& path, std::size_t most_bytes) {
  const auto content = read_small_file(path, {file_keeping::anybodys, true, most_bytes});
  return content ? outcome<std::string>{std::string{content->reveal()}} : content.error();
}

outcome<secret_bytes> read_secret_file(const std::string& path) {
  return read_small_file(path, {file_keeping::secret});
}

outcome<void> check_private(const std::string& path) {
  return check_small_file(path, {file_keeping::secret});
}

outcome<void> create_secret_file(const std::string& path, const std::string& content) {
  const auto folder = std::filesystem::path{path}.parent_path();
  std::error_code failed;
  if (!folder.empty() && std::filesystem::create_directories(folder, failed))
    ::chmod(folder.c_str(), 0700);
  if (failed)
    return failure_of(failed.value(), "make the folder of '" + path + "'");
  return write_beside(path, content, for_owner, placing::create);
}

outcome<void> create_file(const std::string& path, const std::string& content) {
  return write_beside(path, content, for_all, placing::create);
}

outcome<void> replace_secret_file(const std::string& path, const std::string& content) {
  return write_beside(path, content, for_owner, placing::replace);
}

outcome<void> replace_file(const std::string& path, const std::string& content) {
  return write_beside(path, content, for_all, placing::replace);
}

// One write, so that of two at once each line is whole.
outcome<void> append_secret_line(const std::string& path, const std::string& line) {
  const open_fd file{::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
  if (!file || !write_durably(file.get(), (ends_within_line(file.get()) ? "\n" : "") + line + "\n"))
    return failure_of(errno, "write '" + path + "'");
  return {};
}

} // namespace harmony

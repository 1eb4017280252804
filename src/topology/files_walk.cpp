// Opening a folder without following a symlink.

#include <array>
#include <cerrno>
#include <climits>
#include <string>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "topology/files_posix.hpp"

namespace harmony {

namespace {

constexpr int folder_flags = O_PATH | O_DIRECTORY | O_CLOEXEC;

int open_without_symlinks(const std::string& path) {
  ::open_how how{};
  how.flags = folder_flags;
  how.resolve = RESOLVE_NO_SYMLINKS;
  return static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how));
}

/// "x/../y" and "x/./y" as names: a link's target may be written in any way.
std::string normal(const std::string& path) {
  std::string out;
  for (std::size_t begin = 0; begin < path.size();) {
    const auto slash = std::min(path.find('/', begin), path.size());
    const auto part = path.substr(begin, slash - begin);
    begin = slash + 1;
    if (part.empty() || part == ".")
      continue;
    if (part == "..")
      out.erase(out.rfind('/') == std::string::npos ? 0 : out.rfind('/'));
    else
      out += "/" + part;
  }
  return out.empty() ? "/" : out;
}

failure symlink_in_the_way(int folder, const std::string& name, const std::string& link,
                           const std::string& rest) {
  std::array<char, PATH_MAX> target{};
  const auto n = ::readlinkat(folder, name.c_str(), target.data(), target.size() - 1);
  std::string to = n > 0 ? target.data() : "";
  if (to.empty())
    return {ec::unsafe_path, "'" + link + "' is a symlink, and symlinks are not followed"};
  if (to.front() != '/')
    to = link.substr(0, link.rfind('/')) + "/" + to;
  return {ec::unsafe_path, "'" + link + "' is a symlink to '" + target.data()
                             + "', and symlinks are not followed: write '" + normal(to + rest)
                             + "' instead of '" + link + rest + "'"};
}

} // namespace

outcome<open_fd> walk_to_folder(const std::string& path) {
  open_fd at{::open("/", folder_flags)};
  if (!at)
    return from_errno(errno, "open folder", "/");
  for (std::size_t begin = 1; begin < path.size();) {
    const auto slash = std::min(path.find('/', begin), path.size());
    const auto name = path.substr(begin, slash - begin);
    const auto sofar = path.substr(0, slash);
    begin = slash + 1;
    if (name.empty() || name == "." || name == "..")
      return failure{ec::unsafe_path, "'" + path
                                        + "' is not a plain absolute path: write it "
                                          "without '.', '..' and '//'"};
    open_fd next{::openat(at.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)};
    if (!next && errno == ENOENT)
      return failure{ec::not_found, "folder '" + sofar
                                      + "' does not exist: add a Directory resource for it and "
                                        "name it in dependsOn"};
    if (!next)
      return from_errno(errno, "open folder", sofar);
    struct ::stat s {};
    if (::fstat(next.get(), &s) != 0)
      return from_errno(errno, "look at", sofar);
    if (S_ISLNK(s.st_mode))
      return symlink_in_the_way(at.get(), name, sofar, path.substr(slash));
    if (!S_ISDIR(s.st_mode))
      return failure{ec::unsafe_path, "'" + sofar
                                        + "' is not a folder: remove it, or use another "
                                          "path"};
    at = std::move(next);
  }
  return at;
}

outcome<place> posix_files::open_place(const std::string& path) {
  const auto slash = path.rfind('/');
  const auto name = slash == std::string::npos ? std::string{} : path.substr(slash + 1);
  if (path.empty() || path.front() != '/' || name.empty() || name == "." || name == "..")
    return failure{ec::invalid_spec, "'" + path
                                       + "' is not an absolute path of something below "
                                         "'/': write one like '/etc/motd'"};
  const auto folder = slash == 0 ? std::string{"/"} : path.substr(0, slash);
  // A ".." is no symlink to the kernel.
  const bool plain = (folder + "/").find("/../") == std::string::npos;
  open_fd opened{plain ? open_without_symlinks(folder) : -1};
  if (!opened) {
    auto walked = walk_to_folder(folder);
    if (!walked)
      return walked.error();
    opened = std::move(*walked);
  }
  return place{std::move(opened), path, name};
}

} // namespace harmony

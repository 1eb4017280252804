#include "topology/files_error.hpp"

#include <cerrno>
#include <string>
#include <system_error>

namespace harmony {

namespace {

struct errno_meaning {
  ec code;
  std::string_view remedy;
};

errno_meaning meaning_of(int error) {
  switch (error) {
  case ENOSPC: return {ec::disk_full, "free space on its file system"};
  case EDQUOT: return {ec::disk_full, "free space or raise the quota of the agent's user"};
  case EACCES:
  case EPERM: return {ec::permission_denied, "let the agent's user do this, or run it as root"};
  case EROFS: return {ec::read_only, "mount its file system read-write, or use another path"};
  case ENAMETOOLONG: return {ec::io_error, "use a shorter name"};
  case EMFILE:
  case ENFILE: return {ec::io_error, "raise the limit of open files"};
  case EIO: return {ec::io_error, "check the disk"};
  default: return {ec::io_error, {}};
  }
}

} // namespace

failure from_errno(int error, std::string_view what, std::string_view path) {
  const auto [code, remedy] = meaning_of(error);
  std::string message = "cannot ";
  message.append(what).append(" '").append(path).append("': ");
  message += std::generic_category().message(error);
  if (!remedy.empty())
    message.append(": ").append(remedy);
  return {code, std::move(message)};
}

} // namespace harmony

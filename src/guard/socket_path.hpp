#pragma once

#include <optional>
#include <string>

#include <sys/un.h>

namespace harmony::guard {

/// The address of a socket in the file system; nothing where the path is too long for one (107
/// bytes).
inline std::optional<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof at.sun_path)
    return std::nullopt;
  path.copy(static_cast<char*>(at.sun_path), path.size());
  return at;
}

inline const sockaddr* generic(const sockaddr_un& at) {
  return reinterpret_cast<const sockaddr*>(&at);
}

} // namespace harmony::guard

#pragma once

#include <cerrno>
#include <vector>

#include "model/outcome.hpp"
#include "topology/files_error.hpp"

namespace harmony {

/// Calls `get(record, buffer, size, result)`, such as getpwnam_r, with a buffer that grows until
/// the entry fits; false when there is no such entry. `record` points into `buffer`.
template <class Record, class Get>
outcome<bool> lookup_account(Record& record, std::vector<char>& buffer, const Get& get) {
  for (buffer.resize(1024); buffer.size() <= (1U << 20); buffer.resize(buffer.size() * 4)) {
    Record* found = nullptr;
    const int error = get(&record, buffer.data(), buffer.size(), &found);
    if (found != nullptr)
      return true;
    // The manual page lists these as ways to say "no such entry".
    if (error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM)
      return false;
    if (error != ERANGE)
      return from_errno(error, "look up an account in", "/etc/passwd or /etc/group");
  }
  return false;
}

} // namespace harmony

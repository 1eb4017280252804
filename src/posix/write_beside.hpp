#pragma once

#include <string>
#include <string_view>

#include <sys/types.h>

#include "model/outcome.hpp"

namespace harmony {

enum class placing {
  create,  ///< fails with name_conflict where something is there already
  replace, ///< old or new, never a part
};

/// Writes a file that is there whole or not at all, durably: a temporary of mode 0600 beside it
/// gets `mode` and the file's name once it is whole. One that a killed process left behind goes
/// with the next write of the same file; one that is being written stays, whose process holds a
/// lock on it. Fails as failure_of does.
outcome<void> write_beside(const std::string& path, std::string_view content, mode_t mode,
                           placing how);

/// Whether `name` is that of a temporary of the file `of`, both without a folder.
bool is_temporary_of(std::string_view name, std::string_view of);

} // namespace harmony

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "model/outcome.hpp"

namespace harmony::directory {

/// What a file of the directory store says: a header line and the value.
///
///     harmony-entry/1 revision=7 written=2026-03-01T08:15:30.123Z bytes=311
///     {"apiVersion":"harmony/v1",…
///
/// A deleted key keeps a file without a value, so that its revisions never repeat:
///
///     harmony-entry/1 revision=8 written=2026-03-01T08:16:00.000Z deleted
struct entry {
  std::uint64_t revision = 0;
  std::chrono::system_clock::time_point written; ///< milliseconds
  bool deleted = false;
  std::string value;
};

/// The header line of an entry whose value has `bytes` bytes, with its newline.
std::string header_of(const entry& e);

/// Reads the content of a file. Fails with io_error where it is not an entry or was cut short.
/// `where` is the path, for the message.
outcome<entry> read_entry(std::string_view content, std::string_view where);

} // namespace harmony::directory

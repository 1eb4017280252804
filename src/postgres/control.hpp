#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/failover/events.hpp"

namespace harmony::postgres {

/// What pg_controldata says of data whose server does not run.
struct control {
  std::uint64_t system_id = 0;
  std::string state; ///< "shut down", "shut down in recovery", "in production", …
  failover::lsn checkpoint = 0;
  std::uint32_t checkpoint_timeline = 0;
  failover::lsn recovered = 0; ///< minimum recovery ending location
  std::uint32_t recovered_timeline = 0;
  std::uint32_t segment_size = 0; ///< bytes
  std::uint32_t block_size = 0;   ///< of the log, bytes
  bool checksums = false;
  bool log_hints = false; ///< wal_log_hints
  /// Parameters that a standby may not have lower than its primary had.
  std::map<std::string, std::uint32_t> least;

  [[nodiscard]] std::uint32_t timeline() const {
    return checkpoint_timeline > recovered_timeline ? checkpoint_timeline : recovered_timeline;
  }
  /// It was not killed: nothing is in the log that the data do not have.
  [[nodiscard]] bool clean() const {
    return state == "shut down" || state == "shut down in recovery";
  }
  friend bool operator==(const control&, const control&) = default;
};

/// Of its output in the C locale; nothing where a line is missing.
std::optional<control> read_control(std::string_view printed);

/// The timelines before the one whose history file this is, oldest first; nothing where a line is
/// none. A timeline's file that we made to take its number (`reserved_history`) has none.
std::optional<std::vector<failover::past_timeline>> read_history(std::string_view text);

/// "00000002.history".
std::string history_file(std::uint32_t timeline);
/// The number in such a name; 0: it is none.
std::uint32_t history_number(std::string_view file);

/// The segment file of the log that has `at`, and where in it.
struct log_place {
  std::string file;
  std::uint32_t offset = 0;
};
log_place place_of(failover::lsn at, std::uint32_t timeline, std::uint32_t segment_size);

/// Where a record of `length` bytes that begins at `at` ends, aligned as the next one begins: the
/// pages' headers that it crosses count.
failover::lsn record_end(failover::lsn at, std::uint32_t length, std::uint32_t block_size,
                         std::uint32_t segment_size);

} // namespace harmony::postgres

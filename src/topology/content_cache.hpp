#pragma once

#include <string>

#include "model/specs.hpp"
#include "topology/download.hpp"
#include "topology/files.hpp"

namespace harmony {

/// Remote content that was fetched ahead of the change that needs it, in a private folder, each
/// under its sha256. What one read took goes; what nobody took goes when the agent starts anew, or
/// when newer content needs the room. Thread-safe.
class content_cache {
public:
  /// How many fetched files may wait to be read.
  static constexpr std::size_t capacity = 32;

  /// `folder` is made (mode 0700) when it is first needed, and emptied now.
  explicit content_cache(std::string folder);

  /// Downloads and verifies `source`, unless it is here. Fails as `download` and with
  /// checksum_mismatch, disk_full, …; then nothing is left of it.
  outcome<void> fetch(const remote_content& source, const op_limits& limits);

  /// Hands the content to `sink`, from here where it was fetched, from its URL otherwise. Fails
  /// with checksum_mismatch after the last piece where it is not what `source` says.
  outcome<void> read(const remote_content& source, const content_sink& sink,
                     const op_limits& limits);

private:
  [[nodiscard]] std::string path_of(const remote_content& source) const;
  void make_room() const;

  const std::string folder_;
};

/// Downloads `source` and hands it to `sink`; fails with checksum_mismatch after the last piece
/// where it is not what `source` says.
outcome<void> download_verified(const remote_content& source, const content_sink& sink,
                                const op_limits& limits);

} // namespace harmony

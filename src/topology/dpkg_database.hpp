#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>

#include "model/outcome.hpp"
#include "topology/dpkg_status.hpp"

namespace harmony {

/// Reads dpkg's records without a process and without its lock. Thread-safe.
///
/// dpkg replaces `status` by renaming, and puts changes into files of `updates` before that. Both
/// are read, so that a dpkg that was killed is seen for what it left. The parsed file is kept until
/// it is another one: a look costs one stat and one listing of an empty folder.
class dpkg_database {
public:
  explicit dpkg_database(std::string folder = "/var/lib/dpkg") : folder_(std::move(folder)) {}

  /// Fails with runtime_unavailable.
  outcome<std::shared_ptr<const dpkg_status>> read();

private:
  /// device, inode, size, time of modification: which `status` file it is
  using identity =
    std::tuple<std::uint64_t, std::uint64_t, std::int64_t, std::int64_t, std::int64_t>;

  /// Null: dpkg was just writing.
  outcome<std::shared_ptr<const dpkg_status>> read_once();

  std::string folder_;
  std::mutex mutex_;
  identity known_{};
  std::shared_ptr<const dpkg_status> kept_; ///< of `known_`, with an empty journal
};

} // namespace harmony

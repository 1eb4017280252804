#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>

#include "model/outcome.hpp"
#include "topology/packages.hpp"

namespace harmony {

/// What dpkg knows of all packages: a parsed `status` file, with the entries of its journal merged
/// over it.
class dpkg_status {
public:
  /// Takes in the stanzas of `text`; a later one of the same package and architecture replaces an
  /// earlier one.
  void merge(std::string_view text);

  /// Marks that dpkg's journal is not empty.
  void set_interrupted() { interrupted_ = true; }

  /// `package` is a name, of the device's own architecture, or name:architecture.
  [[nodiscard]] package_info find(std::string_view package) const;

  /// The name by which dpkg takes `package` for no other: name:architecture where it has one of its
  /// own, otherwise the name alone.
  [[nodiscard]] std::string full_name(std::string_view package) const;

private:
  using table = std::map<std::string, package_info, std::less<>>; ///< by name:architecture

  struct stanza;
  void put(const stanza& s);
  [[nodiscard]] table::const_iterator locate(std::string_view package) const;

  table packages_;
  std::string native_; ///< the architecture of dpkg itself
  bool interrupted_ = false;
};

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

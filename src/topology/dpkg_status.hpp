#pragma once

#include <map>
#include <string>
#include <string_view>

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

} // namespace harmony

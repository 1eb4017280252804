#pragma once

// What makes a link as the manifest says already while the device boots, before the agent runs:
// files of systemd-networkd or of ifupdown, whichever the device uses.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/outcome.hpp"
#include "model/specs.hpp"

namespace harmony {

/// One place for a boot file of a link: what lies there, and what should.
struct boot_file {
  std::filesystem::path path;
  std::optional<std::string> wanted; ///< content; absent: no file of this agent
  std::optional<std::string> found;  ///< content; absent: nothing there
  bool foreign = false;              ///< somebody else's lies there

  [[nodiscard]] bool differs() const { return !foreign && wanted != found; }
  friend bool operator==(const boot_file&, const boot_file&) = default;
};

/// Where boot files go on this device, and what they say.
///
/// - systemd-networkd, where it runs: physical links, dummies and bridges without members. VLANs
///   and members need words in the file of another link, which may be somebody else's.
/// - ifupdown, where it is installed and reads interfaces.d: every type.
/// - A link that a file of somebody else names has none of this agent's.
class network_boot_files {
public:
  /// `root`: where the device's file system begins.
  explicit network_boot_files(std::filesystem::path root = "/") : root_(std::move(root)) {}

  /// The places for `link`. `spec` absent: none of them should have a file. Files that begin with
  /// `marker` are this agent's.
  outcome<std::vector<boot_file>> look(const std::string& link, const network_spec* spec,
                                       std::string_view marker) const;

  /// Makes the places as they should be; leaves foreign ones alone.
  static outcome<void> put(const std::vector<boot_file>& files);

private:
  [[nodiscard]] bool networkd_has(const std::string& link) const;
  [[nodiscard]] bool ifupdown_has(const std::string& link) const;

  std::filesystem::path root_;
};

} // namespace harmony

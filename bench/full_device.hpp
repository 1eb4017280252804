#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "bench.hpp"

namespace harmony::bench {

/// A device with this many resources of each kind: "File/full-0", "SystemdUnit/full-0",
/// "Container/full-0" and so on.
class full_device {
public:
  struct counts {
    int files, units, containers;
  };

  full_device(std::filesystem::path site, counts of) : site_(std::move(site)), of_(of) {}

  [[nodiscard]] std::string json() const {
    std::vector<std::string> all;
    all.reserve(size());
    for (int i = 0; i < of_.files; ++i)
      all.push_back(file_json(name(i), path(i).string(), "declared"));
    for (int i = 0; i < of_.units; ++i)
      all.push_back(unit_json(name(i)));
    for (int i = 0; i < of_.containers; ++i)
      all.push_back(container_json(name(i)));
    return list(all);
  }

  static std::string name(int i) { return "full-" + std::to_string(i); }
  [[nodiscard]] std::filesystem::path path(int i) const { return site_ / name(i); }
  [[nodiscard]] counts how_many() const { return of_; }
  [[nodiscard]] std::size_t size() const {
    return static_cast<std::size_t>(of_.files) + static_cast<std::size_t>(of_.units)
           + static_cast<std::size_t>(of_.containers);
  }

private:
  std::filesystem::path site_;
  counts of_;
};

} // namespace harmony::bench

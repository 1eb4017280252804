#pragma once

#include <map>
#include <memory>
#include <string>

#include "reconcilers/driver.hpp"

namespace harmony {

/// What this device can run: the driver of each kind, and for the kinds it cannot run, why.
struct driver_registry {
  std::map<std::string, std::shared_ptr<driver>, std::less<>> drivers; ///< by kind
  std::map<std::string, std::string, std::less<>> missing; ///< kind -> why, for a person

  /// The driver of `kind`; null when this device has none.
  [[nodiscard]] driver* find(std::string_view kind) const {
    const auto it = drivers.find(kind);
    return it == drivers.end() ? nullptr : it->second.get();
  }

  /// The failure that says why `kind` cannot run here.
  [[nodiscard]] failure why_missing(std::string_view kind) const {
    const auto it = missing.find(kind);
    return {ec::capability_missing, "this device cannot run kind '" + std::string{kind} + "'"
                                      + (it == missing.end() ? std::string{} : ": " + it->second)};
  }
};

} // namespace harmony

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "reconcilers/driver.hpp"

namespace harmony {

/// What this device can run: the driver of each kind, and for the kinds it cannot run, why.
struct driver_registry {
  std::map<std::string, std::shared_ptr<driver>, std::less<>> drivers; ///< by kind
  std::map<std::string, std::string, std::less<>> missing; ///< kind -> why, for a person
  /// Kinds that this device could run and its configuration forbids: kind -> the setting. They may
  /// have a driver, which then only removes.
  std::map<std::string, std::string, std::less<>> denied;
  /// Told of every resource that is refused because its kind is denied; may be empty. Must not
  /// block.
  std::function<void(const resource&, const failure&)> refused;

  /// The driver that may apply `kind`; null when this device has none, or may not.
  [[nodiscard]] driver* find(std::string_view kind) const {
    return denied.count(kind) != 0 ? nullptr : owner_of(kind);
  }

  /// The driver that can remove what of `kind` was made, also when that was allowed only earlier.
  [[nodiscard]] driver* owner_of(std::string_view kind) const {
    const auto it = drivers.find(kind);
    return it == drivers.end() ? nullptr : it->second.get();
  }

  /// The failure that says why `kind` cannot run here.
  [[nodiscard]] failure why_missing(std::string_view kind) const {
    if (const auto no = denied.find(kind); no != denied.end())
      return {ec::not_allowed, "this device's configuration does not allow kind '"
                                 + std::string{kind} + "': " + no->second};
    const auto it = missing.find(kind);
    return {ec::capability_missing, "this device cannot run kind '" + std::string{kind} + "'"
                                      + (it == missing.end() ? std::string{} : ": " + it->second)};
  }
};

} // namespace harmony

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "reconcilers/guarded_driver.hpp"

namespace harmony {

/// What this device can run: the driver of each kind, and for the kinds it cannot run, why.
struct driver_registry {
  std::map<std::string, std::shared_ptr<driver>, std::less<>> drivers; ///< by kind
  std::map<std::string, std::string, std::less<>> missing; ///< kind -> why, for a person
  std::shared_ptr<const device_guard> guard;               ///< null: all is allowed
  /// Told of every resource that the policy refuses; may be empty. Must not block.
  std::function<void(const resource&, const failure&)> refused;

  /// The driver of `kind`; null when this device has none. What the policy forbids has one too,
  /// which removes what was made when it was allowed.
  [[nodiscard]] driver* find(std::string_view kind) const {
    const auto it = drivers.find(kind);
    return it == drivers.end() ? nullptr : it->second.get();
  }

  /// Why this device does not take `r`; nothing: it does.
  [[nodiscard]] std::optional<failure> why_not(const resource& r) const {
    if (guard)
      if (auto no = guard->why_not(r))
        return no;
    return find(r.id.kind) == nullptr ? std::optional{why_missing(r.id.kind)} : std::nullopt;
  }

  /// The failure that says why `kind` cannot run here.
  [[nodiscard]] failure why_missing(std::string_view kind) const {
    const auto it = missing.find(kind);
    return {ec::capability_missing, "this device cannot run kind '" + std::string{kind} + "'"
                                      + (it == missing.end() ? std::string{} : ": " + it->second)};
  }
};

} // namespace harmony

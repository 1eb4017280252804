#pragma once

#include <string>
#include <vector>

#include "model/manifest.hpp"

namespace harmony {

/// What a new manifest asks of what the one before it left. Every id of either stands in exactly
/// one list; lists are in the order of the manifest that the resource stands in.
struct manifest_diff {
  std::vector<resource_id> create;
  std::vector<resource_id> update; ///< its spec changed, or a resource of its restartOn did
  std::vector<resource_id> keep;
  std::vector<resource_id> remove;

  [[nodiscard]] bool empty() const noexcept {
    return create.empty() && update.empty() && remove.empty();
  }
  friend bool operator==(const manifest_diff&, const manifest_diff&) = default;
};

/// Compares the resources of two manifests; `before` is null when there was none. Rejected
/// resources are kept as they are: a resource that is rejected now is neither updated nor removed.
manifest_diff diff(const manifest* before, const manifest& after);

/// The restart stamp of `r`: changes when a resource of its restartOn changes. Empty without
/// restartOn.
std::string restart_stamp(const manifest& m, const resource& r);

/// What a resource should be, as one value: equal ones mean that nothing new is wanted.
std::string desire_of(const manifest& m, const resource& r);

} // namespace harmony

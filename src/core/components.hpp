#pragma once

#include <string>
#include <unordered_map>

#include "model/ids.hpp"

namespace harmony {

/// Which resources hang together, however indirectly (a disjoint-set forest).
class components {
public:
  void connect(const resource_id& a, const resource_id& b) {
    const auto from = group_of(a);
    parent_[from] = group_of(b);
  }

  [[nodiscard]] bool connected(const resource_id& a, const resource_id& b) {
    return group_of(a) == group_of(b);
  }

  /// One that stands for all it is connected with.
  resource_id group_of(const resource_id& id) {
    auto at = id;
    for (auto it = parent_.find(at); it != parent_.end() && it->second != at; it = parent_.find(at))
      at = it->second;
    if (at != id)
      parent_[id] = at;
    return at;
  }

private:
  std::unordered_map<resource_id, resource_id> parent_;
};

} // namespace harmony

#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/manifest.hpp"
#include "model/status.hpp"

namespace harmony {

/// Whether `path` lies below the folder `parent`. Both are absolute and normal.
bool lies_below(std::string_view path, std::string_view parent) noexcept;

/// Whether a resource whose desire is in phase `p` has reached what `c` asks for. A ShellJob is
/// ready once it ended with success: completed.
constexpr bool reached(resource_phase p, dependency_condition c) noexcept {
  return p == resource_phase::ready
         || (c == dependency_condition::applied && p == resource_phase::probing);
}

/// Who comes before whom in one manifest. A resource's prerequisites are what it names in
/// dependsOn, what it names in restartOn and is not rejected, the nearest managed Directory above
/// its own path, and the managed User that owns it (as Puppet's autorequire does), unless that one
/// depends on the resource. Acyclic if the manifest's explicit dependencies are.
class resource_graph {
public:
  resource_graph() = default;
  explicit resource_graph(const manifest& m);

  /// What must hold before `id` is first applied.
  [[nodiscard]] const std::vector<dependency>& prerequisites(const resource_id& id) const;

  /// What has `id` among its prerequisites; these are removed before it.
  [[nodiscard]] const std::vector<resource_id>& dependents(const resource_id& id) const;

private:
  [[nodiscard]] bool leads_to(const resource_id& from, const resource_id& to) const;

  std::unordered_map<resource_id, std::vector<dependency>> before_;
  std::unordered_map<resource_id, std::vector<resource_id>> after_;
};

} // namespace harmony

#include "reconcilers/guarded_driver.hpp"

namespace harmony {

std::optional<failure> device_guard::why_not(const resource& r) const {
  if (const auto no = check(policy, own, r))
    return explain(policy, *no);
  return {};
}

std::optional<failure> device_guard::why_not_now(const desired<resource_spec>& want) const {
  resource r;
  r.id = want.id;
  r.spec = want.spec;
  if (auto no = why_not(r))
    return no;
  for (const auto& [path, use] : touched_paths(r, own)) {
    const bool below =
      use == path_use::mounted || use == path_use::mounted_rw || use == path_use::job_writes;
    const auto names = names_of(path, below);
    if (const auto no = check_path(policy, own, use, names)) {
      auto why = explain(policy, *no);
      if (names.front() != path)
        why.message += " ('" + path + "' leads there)";
      return why;
    }
  }
  return {};
}

} // namespace harmony

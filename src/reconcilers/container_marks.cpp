// What bears the agent's labels on the device.

#include "reconcilers/container.hpp"

namespace harmony {

namespace {

// Those of this agent's containers that satisfy `holds`, as its records would have them.
template <class Predicate>
outcome<std::vector<owned_target>> targets_of(container_runtime& runtime, const op_context& ctx,
                                              Predicate holds) {
  const auto all = runtime.list(std::string{container_label::agent} + "=" + std::string{ctx.agent},
                                call_limits{ctx.cancel, ctx.deadline});
  if (!all)
    return all.error();
  std::vector<owned_target> found;
  for (const auto& each : *all) {
    resource_id id;
    if (!parse_resource_id(label_of(each, container_label::resource), id) || !holds(each, id))
      continue;
    const container_note note{label_of(each, container_label::revision),
                              label_of(each, container_label::restart_stamp), 0, false};
    found.push_back({std::move(id), each.name, true, write_note(note)});
  }
  return found;
}

} // namespace

std::string label_of(const container_info& info, const char* key) {
  const auto found = info.labels.find(key);
  return found == info.labels.end() ? std::string{} : found->second;
}

outcome<std::vector<owned_target>> container_ops::marked(container_runtime& runtime,
                                                         const op_context& ctx) {
  return targets_of(runtime, ctx, [](const auto&...) { return true; });
}

outcome<std::vector<owned_target>> container_ops::strays(container_runtime& runtime,
                                                         const op_context& ctx) {
  return targets_of(runtime, ctx, [&](const container_info& info, const resource_id& id) {
    return info.status == container_status::created && info.started.empty()
           && !ctx.owned.find(id, info.name);
  });
}

} // namespace harmony

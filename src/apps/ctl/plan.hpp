#pragma once

#include <string>
#include <vector>

#include "apps/ctl/printer.hpp"
#include "model/commands.hpp"
#include "model/manifest.hpp"

namespace harmony::ctl {

enum class plan_action { create, update, keep, remove };

std::string_view name_of(plan_action what) noexcept;

/// One field of a resource that differs, named as in the manifest ("spec.mode"). `from` and `to`
/// are null where the field is absent, which is to say at its default.
struct field_change {
  std::string field;
  json from;
  json to;
};

struct resource_plan {
  resource_id id;
  plan_action what = plan_action::keep;
  std::vector<field_change> fields; ///< of kept resources too: probes and origin restart nothing
};

/// What applying a manifest would change in the desired state of one agent.
struct manifest_plan {
  std::string agent;
  generation_number from = 0; ///< 0: there is no manifest yet
  generation_number to = 0;
  std::vector<field_change> metadata;
  std::vector<resource_plan> resources;

  [[nodiscard]] std::size_t count(plan_action what) const;
};

/// Compares `after` with what is in the store; `before` is null when there is nothing.
manifest_plan plan_of(const manifest* before, const manifest& after);

/// The plan for a person: one line a resource, the changed fields below it, texts of several lines
/// as a diff.
std::string render_plan(const manifest_plan& plan, bool colour);

/// "Plan: 1 to create, 2 to update, 3 to keep, 0 to remove."
std::string summary_of(const manifest_plan& plan);

json to_value(const manifest_plan& plan);

/// The same for what the device itself would do, by what it sees now. `plan` gives agent and
/// generations.
std::string render_device_plan(const manifest_plan& plan, const plan_result& device, bool colour);
json to_value(const manifest_plan& plan, const plan_result& device);

} // namespace harmony::ctl

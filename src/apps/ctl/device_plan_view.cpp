// How the plan of a device is shown.
#include <algorithm>
#include <array>

#include "apps/ctl/plan.hpp"
#include "apps/ctl/view.hpp"

namespace harmony::ctl {

namespace {

struct look {
  const char* sign;
  tone colour;
};

look look_of(plan_step step) {
  switch (step) {
  case plan_step::create: return {"+", tone::good};
  case plan_step::update:
  case plan_step::restart: return {"~", tone::busy};
  case plan_step::replace: return {"±", tone::busy};
  case plan_step::remove: return {"-", tone::bad};
  case plan_step::blocked: return {"!", tone::bad};
  case plan_step::keep: break;
  }
  return {"=", tone::faint};
}

/// As text; of a hash only its beginning.
std::string shown(const std::string& value) {
  return printable(value.rfind("sha256:", 0) == 0 ? short_hash(value) : value);
}

std::string render_change(const planned_change& change, bool colour) {
  const auto to = coloured(shown(change.to), tone::good, colour);
  auto text = "      " + change.field;
  if (change.from.empty() && change.to.empty())
    return text + "\n";
  text += ": ";
  if (!change.from.empty())
    text += coloured(shown(change.from), tone::bad, colour) + " -> ";
  return text + (change.to.empty() ? "(gone)" : to) + "\n";
}

std::string summary_of(const plan_result& device) {
  constexpr std::array steps{plan_step::create,  plan_step::update, plan_step::replace,
                             plan_step::restart, plan_step::remove, plan_step::keep,
                             plan_step::blocked};
  std::string text;
  for (const auto step : steps) {
    const auto count = std::count_if(device.resources.begin(), device.resources.end(),
                                     [&](const auto& r) { return r.step == step; });
    if (count != 0)
      text += (text.empty() ? "" : ", ") + std::to_string(count)
              + (step == plan_step::blocked ? " " : " to ") + std::string{name_of(step)};
  }
  return "Plan: " + (text.empty() ? "nothing" : text) + ".\n";
}

} // namespace

std::string render_device_plan(const manifest_plan& plan, const plan_result& device, bool colour) {
  auto text = "Agent " + plan.agent + ": generation " + std::to_string(plan.to)
              + ", compared with what is on the device\n";
  for (const auto& r : device.resources) {
    const auto how = look_of(r.step);
    text +=
      "  "
      + coloured(how.sign + std::string{" "}.append(name_of(r.step)) + " " + r.id.str(), how.colour,
                 colour)
      + (r.step == plan_step::keep || r.reason.empty() ? "" : "  (" + printable(r.reason) + ")")
      + "\n";
    for (const auto& change : r.changes)
      text += render_change(change, colour);
  }
  return text + summary_of(device);
}

json to_value(const manifest_plan& plan, const plan_result& device) {
  auto resources = json::array();
  for (const auto& r : device.resources) {
    auto fields = json::array();
    for (const auto& f : r.changes)
      fields.push_back({{"what", f.what}, {"field", f.field}, {"from", f.from}, {"to", f.to}});
    resources.push_back({{"id", r.id.str()},
                         {"action", name_of(r.step)},
                         {"reason", r.reason},
                         {"fields", std::move(fields)}});
  }
  return {{"agent", plan.agent},
          {"fromGeneration", plan.from},
          {"toGeneration", plan.to},
          {"source", "device"},
          {"resources", std::move(resources)}};
}

} // namespace harmony::ctl

#include "apps/ctl/plan.hpp"

#include <algorithm>
#include <map>

#include "apps/ctl/document_tree.hpp"
#include "apps/ctl/text_diff.hpp"
#include "core/diff.hpp"

namespace harmony::ctl {

namespace {

using fields = std::map<std::string, json>;

void flatten(const std::string& path, const json& value, fields& into) {
  if (value.is_object() && !value.empty()) {
    for (const auto& [key, item] : value.items())
      flatten(field_path(path, key), item, into);
  } else if (value.is_array() && !value.empty()) {
    for (std::size_t i = 0; i < value.size(); ++i)
      flatten(item_path(path, i), value[i], into);
  } else {
    into[path] = value;
  }
}

struct flat_manifest {
  fields metadata;
  std::map<resource_id, fields> resources;
};

/// The fields of a manifest that are not at their defaults.
flat_manifest flatten(const manifest* m) {
  flat_manifest flat;
  if (m == nullptr)
    return flat;
  auto copy = *m;
  copy.rejected.clear();
  const auto document = json::parse(write_manifest(copy), nullptr, false);
  if (!document.is_object())
    return flat;
  auto metadata = document.value("metadata", json::object());
  for (const auto* stamped : {"agent", "generation", "issuedAt"})
    metadata.erase(stamped);
  if (!metadata.empty())
    flatten("metadata", metadata, flat.metadata);
  for (auto r : document["spec"]["resources"]) {
    const resource_id id{r.value("kind", ""), r.value("name", "")};
    r.erase("kind");
    r.erase("name");
    flatten("", r, flat.resources[id]);
  }
  return flat;
}

std::vector<field_change> changes(const fields& before, const fields& after) {
  std::vector<field_change> found;
  for (const auto& [field, value] : before) {
    const auto now = after.find(field);
    if (now == after.end())
      found.push_back({field, value, nullptr});
    else if (now->second != value)
      found.push_back({field, value, now->second});
  }
  for (const auto& [field, value] : after)
    if (before.count(field) == 0)
      found.push_back({field, nullptr, value});
  std::sort(found.begin(), found.end(),
            [](const field_change& a, const field_change& b) { return a.field < b.field; });
  return found;
}

bool is_long(const json& value) {
  return value.is_string() && value.get_ref<const std::string&>().find('\n') != std::string::npos;
}

std::string shown(const json& value) {
  if (value.is_null())
    return "(default)";
  constexpr std::size_t longest = 120;
  auto text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > longest)
    text = text.substr(0, longest) + "… (" + std::to_string(text.size()) + " characters)";
  return printable(text);
}

std::string text_of(const json& value) {
  return value.is_string() ? value.get<std::string>() : "";
}

std::string render_field(const field_change& f, bool colour) {
  if (is_long(f.from) || is_long(f.to))
    return "      " + f.field + ":\n" + render_text_diff(text_of(f.from), text_of(f.to), colour, 8);
  const auto to = coloured(shown(f.to), tone::good, colour);
  if (f.from.is_null())
    return "      " + f.field + ": " + to + "\n";
  return "      " + f.field + ": " + coloured(shown(f.from), tone::bad, colour) + " -> " + to
         + "\n";
}

std::string render_resource(const resource_plan& r, bool colour) {
  struct look {
    const char* sign;
    tone colour;
  };
  const auto how = [&]() -> look {
    switch (r.what) {
    case plan_action::create: return {"+", tone::good};
    case plan_action::update: return {"~", tone::busy};
    case plan_action::remove: return {"-", tone::bad};
    case plan_action::keep: break;
    }
    return {"=", tone::faint};
  }();
  auto text = "  "
              + coloured(how.sign + std::string{" "}.append(name_of(r.what)) + " " + r.id.str(),
                         how.colour, colour);
  if (r.what == plan_action::update && r.fields.empty())
    text += "  (a resource of its restartOn changes)";
  if (r.what == plan_action::keep && !r.fields.empty())
    text += "  (settings that touch nothing on the device)";
  text += "\n";
  if (r.what != plan_action::remove)
    for (const auto& f : r.fields)
      text += render_field(f, colour);
  return text;
}

/// "Agent pi-1: generation 3 -> generation 4"
std::string headline(const manifest_plan& plan) {
  return "Agent " + plan.agent + ": "
         + (plan.from == 0 ? "no manifest" : "generation " + std::to_string(plan.from))
         + " -> generation " + std::to_string(plan.to);
}

json to_value(const std::vector<field_change>& all) {
  auto list = json::array();
  for (const auto& f : all)
    list.push_back({{"field", f.field}, {"from", f.from}, {"to", f.to}});
  return list;
}

} // namespace

std::string_view name_of(plan_action what) noexcept {
  switch (what) {
  case plan_action::create: return "create";
  case plan_action::update: return "update";
  case plan_action::keep: return "keep";
  case plan_action::remove: return "remove";
  }
  return "keep";
}

std::size_t manifest_plan::count(plan_action what) const {
  return static_cast<std::size_t>(std::count_if(
    resources.begin(), resources.end(), [&](const resource_plan& r) { return r.what == what; }));
}

manifest_plan plan_of(const manifest* before, const manifest& after) {
  manifest_plan plan{after.metadata.agent,
                     before != nullptr ? before->metadata.generation : 0,
                     after.metadata.generation,
                     {},
                     {}};
  const auto was = flatten(before);
  const auto is = flatten(&after);
  plan.metadata = changes(was.metadata, is.metadata);

  const auto difference = diff(before, after);
  std::map<resource_id, plan_action> actions;
  const auto classify = [&](const std::vector<resource_id>& ids, plan_action what) {
    for (const auto& id : ids)
      actions[id] = what;
  };
  classify(difference.create, plan_action::create);
  classify(difference.update, plan_action::update);
  classify(difference.keep, plan_action::keep);
  classify(difference.remove, plan_action::remove);

  const auto add = [&](const resource_id& id, plan_action what) {
    static const fields none;
    const auto old = was.resources.find(id);
    const auto now = is.resources.find(id);
    plan.resources.push_back({id, what,
                              changes(old == was.resources.end() ? none : old->second,
                                      now == is.resources.end() ? none : now->second)});
  };
  for (const auto& r : after.resources)
    add(r.id, actions[r.id]);
  for (const auto& id : difference.remove)
    add(id, plan_action::remove);
  return plan;
}

std::string summary_of(const manifest_plan& plan) {
  std::string text = "Plan:";
  const char* separator = " ";
  for (const auto what :
       {plan_action::create, plan_action::update, plan_action::keep, plan_action::remove}) {
    text.append(separator).append(std::to_string(plan.count(what))).append(" to ");
    text.append(name_of(what));
    separator = ", ";
  }
  return text + ".";
}

std::string render_plan(const manifest_plan& plan, bool colour) {
  auto text = headline(plan) + "\n";
  for (const auto& f : plan.metadata)
    text += render_field(f, colour);
  for (const auto& r : plan.resources)
    text += render_resource(r, colour);
  return text + summary_of(plan) + "\n";
}

json to_value(const manifest_plan& plan) {
  auto resources = json::array();
  for (const auto& r : plan.resources)
    resources.push_back(
      {{"id", r.id.str()}, {"action", name_of(r.what)}, {"fields", to_value(r.fields)}});
  return {{"agent", plan.agent},
          {"fromGeneration", plan.from},
          {"toGeneration", plan.to},
          {"metadata", to_value(plan.metadata)},
          {"resources", std::move(resources)}};
}

} // namespace harmony::ctl

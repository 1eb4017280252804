#include "apps/ctl/durations.hpp"
#include "apps/ctl/view.hpp"
#include "core/age.hpp"

namespace harmony::ctl {

namespace {

using std::chrono::milliseconds;

/// Lines of "Name:   value", aligned.
class fact_sheet {
public:
  explicit fact_sheet(bool colour) : colour_(colour) {}

  fact_sheet& add(const std::string& name, const std::string& value, tone look = tone::plain) {
    if (value.empty())
      return *this;
    auto label = name + ":";
    label.resize(std::max<std::size_t>(label.size() + 1, 16), ' ');
    text_ += label + coloured(printable(value), look, colour_) + "\n";
    return *this;
  }

  fact_sheet& section(const std::string& title, const std::string& body) {
    if (!body.empty())
      text_ += title + ":\n" + body;
    return *this;
  }

  [[nodiscard]] std::string text() const { return text_; }

private:
  bool colour_;
  std::string text_;
};

std::string state_name(condition_state s) {
  switch (s) {
  case condition_state::true_: return "True";
  case condition_state::false_: return "False";
  case condition_state::unknown: break;
  }
  return "Unknown";
}

std::string conditions_table(const agent_record& record, wall_time now, bool colour) {
  listing table;
  table.columns = {{"TYPE", ""}, {"STATUS", ""}, {"REASON", ""}, {"SINCE", ""}, {"MESSAGE", ""}};
  if (record.status)
    for (const auto& c : record.status->conditions)
      table.rows.push_back({cell::of(c.type), cell::of(state_name(c.status)), cell::of(c.reason),
                            cell::of(ago(c.last_transition, now)), cell::of(c.message)});
  return render_table(table, colour, 2);
}

std::string ids_text(const std::vector<resource_id>& ids) {
  std::string text;
  for (const auto& id : ids)
    text += (text.empty() ? "" : ", ") + id.str();
  return text;
}

std::string dependencies_text(const std::vector<dependency>& all) {
  std::string text;
  for (const auto& d : all) {
    text += (text.empty() ? "" : ", ") + d.id.str();
    if (d.condition != dependency_condition::ready)
      text += " (" + std::string{name_of(d.condition)} + ")";
  }
  return text;
}

std::string indented(const std::string& text) {
  std::string out;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    out += "  " + printable(std::string_view{text}.substr(begin, end - begin)) + "\n";
    begin = end + 1;
  }
  return out;
}

json parsed(const std::string& text) {
  auto value = json::parse(text, nullptr, false);
  return value.is_discarded() ? json(nullptr) : value;
}

std::string generation_text(const agent_record& r) {
  auto text = r.desired ? std::to_string(r.desired->value.metadata.generation) + " desired"
                        : std::string{"none desired"};
  if (r.status)
    text += ", " + std::to_string(r.status->observed_generation) + " observed";
  return text;
}

std::string retry_text(const resource_status& s, wall_time now) {
  if (!s.next_retry)
    return "";
  if (*s.next_retry <= now)
    return "due";
  return "in " + format_age(std::chrono::ceil<milliseconds>(*s.next_retry - now));
}

/// The manifest's own entry of the resource, as it was stored.
json desired_entry(const agent_record& record, const resource_id& id) {
  if (find_desired(record, id) == nullptr)
    return nullptr;
  auto copy = record.desired->value;
  copy.rejected.clear();
  const auto document = parsed(write_manifest(copy));
  for (const auto& r : document["spec"]["resources"])
    if (r.value("kind", "") == id.kind && r.value("name", "") == id.name)
      return r;
  return nullptr;
}

} // namespace

std::string describe_agent(const agent_record& record, const std::string& device, wall_time now,
                           bool colour) {
  const auto phase = phase_of(record, now);
  fact_sheet sheet{colour};
  sheet.add("Agent", record.agent)
    .add("Phase", phase, tone_of(phase))
    .add("Generation", generation_text(record))
    .add("Heartbeat", record.beat ? heartbeat_age(record, now) : "no heartbeat seen",
         record.beat ? tone::plain : tone::bad);
  if (record.beat)
    sheet.add("Boot", record.beat->value.boot_id);
  else if (record.status)
    sheet.add("Boot", record.status->boot_id);
  if (record.status)
    sheet.add("Last status", ago(record.status_written, now) + " ("
                               + std::string{name_of(record.status->phase)} + ", write "
                               + std::to_string(record.status->sequence) + " of this boot)");
  if (record.desired) {
    const auto& meta = record.desired->value.metadata;
    sheet.add("Manifest", "written " + ago(record.desired->written, now));
    if (meta.expires_at)
      sheet.add("Expires", format_time(*meta.expires_at),
                *meta.expires_at <= now ? tone::bad : tone::plain);
    std::string labels;
    for (const auto& [key, value] : meta.labels)
      labels.append(labels.empty() ? "" : ", ").append(key).append("=").append(value);
    sheet.add("Labels", labels);
  }
  sheet.add("Fault", record.desired_fault, tone::bad).add("Fault", record.status_fault, tone::bad);
  sheet.section("Conditions", conditions_table(record, now, colour))
    .section("Resources", render_table(list_resources({record}, false), colour, 2));
  if (const auto facts = parsed(device); !facts.is_null())
    sheet.section("Device", indented(to_yaml(facts)));
  return sheet.text();
}

json agent_value(const agent_record& record, const std::string& device, wall_time now) {
  json value{{"agent", record.agent}, {"phase", phase_of(record, now)}};
  value["heartbeat"] = nullptr;
  if (record.beat)
    value["heartbeat"] = {
      {"at", format_time(std::chrono::floor<milliseconds>(record.beat->at))},
      {"ageSeconds",
       std::chrono::duration<double>(floor<milliseconds>(now - record.beat->at)).count()},
      {"bootId", record.beat->value.boot_id},
      {"sequence", record.beat->value.sequence}};
  value["desiredGeneration"] = nullptr;
  if (record.desired)
    value["desiredGeneration"] = record.desired->value.metadata.generation;
  value["status"] = record.status ? parsed(write_status(*record.status)) : json(nullptr);
  value["device"] = parsed(device);
  return value;
}

std::string describe_resource(const agent_record& record, const resource_id& id, wall_time now,
                              bool colour) {
  const auto* status = find_status(record, id);
  const auto* desired = find_desired(record, id);
  fact_sheet sheet{colour};
  sheet.add("Agent", record.agent).add("Resource", id.str());
  if (status != nullptr) {
    const auto phase = std::string{name_of(status->phase)};
    sheet.add("Phase", phase, tone_of(phase))
      .add("Reason", status->reason)
      .add("Message", status->message)
      .add("State", summary_of(status->state))
      .add("Attempts", std::to_string(status->attempts))
      .add("Next retry", retry_text(*status, now))
      .add("Revision", status->revision)
      .add("Applied", status->applied_revision);
  } else {
    sheet.add("Phase", "Unreported (the agent's status does not name it yet)", tone::busy);
  }
  if (desired == nullptr) {
    sheet.add("Manifest", "not in it (any more)");
    return sheet.text();
  }
  sheet.add("Depends on", dependencies_text(desired->depends_on))
    .add("Restarted by", ids_text(desired->restart_on))
    .add("Origin", desired->origin);
  const auto entry = desired_entry(record, id);
  if (entry.contains("probes"))
    sheet.section("Probes", indented(to_yaml(entry["probes"])));
  if (entry.contains("spec"))
    sheet.section("Spec", indented(to_yaml(entry["spec"])));
  return sheet.text();
}

json resource_value(const agent_record& record, const resource_id& id) {
  json value{{"agent", record.agent}, {"resource", id.str()}};
  value["desired"] = desired_entry(record, id);
  value["status"] = nullptr;
  if (record.status) {
    const auto document = parsed(write_status(*record.status));
    if (document.contains("resources") && document["resources"].contains(id.str()))
      value["status"] = document["resources"][id.str()];
  }
  return value;
}

} // namespace harmony::ctl

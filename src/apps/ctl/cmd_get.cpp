// get agents, get resources, get manifest, describe agent, describe resource.
#include "apps/ctl/commands.hpp"
#include "apps/ctl/view.hpp"

namespace harmony::ctl {

exit_code no_such_resource(const context& c, const std::string& agent, const resource_id& id) {
  return c.fail(exit_code::not_found, "no resource '" + id.str() + "' on '" + agent
                                        + "'; see 'harmonyctl get resources " + agent + "'");
}

outcome<agent_record> read_known(const context& c, store& from, const std::string& agent) {
  auto record = read_agent(from, agent, c.time);
  if (record && !record->known())
    return failure{ec::not_found,
                   "no agent '" + agent + "' in the store; see 'harmonyctl get agents'"};
  return record;
}

namespace {

/// The records of one agent, or of all where `agent` is empty.
outcome<std::vector<agent_record>> read_records(const context& c, store& from,
                                                const std::string& agent, bool with_beats) {
  std::vector<agent_record> records;
  if (!agent.empty()) {
    auto one = read_known(c, from, agent);
    if (!one)
      return one.error();
    records.push_back(std::move(*one));
    return records;
  }
  const auto ids = agent_ids(from, c.time);
  if (!ids)
    return ids.error();
  for (const auto& id : *ids) {
    auto one = read_agent(from, id, c.time, with_beats);
    if (!one)
      return one.error();
    if (one->known()) // not deleted between the two reads
      records.push_back(std::move(*one));
  }
  return records;
}

exit_code get_manifest(const context& c, store& from, const std::string& agent, bool envelope) {
  const auto entry = from.get(bucket::desired_state, agent, c.time.left());
  if (!entry)
    return c.fail(entry.error());
  if (!*entry)
    return c.fail(exit_code::not_found, "no manifest for '" + agent + "' in the store");
  const auto document =
    json::parse(envelope ? (*entry)->value : unseal((*entry)->value).payload, nullptr, false);
  if (document.is_discarded())
    return c.fail(exit_code::invalid_document,
                  "the manifest of '" + agent
                    + "' in the store is not JSON; overwrite it with 'harmonyctl apply --force'");
  c.print_value(document);
  return exit_code::ok;
}

} // namespace

exit_code run(const context& c, const get_options& o) {
  const auto from = c.connected();
  if (!from)
    return c.fail(from.error());
  if (o.kind == get_options::what::manifest)
    return get_manifest(c, **from, o.agent, o.envelope);
  const bool agents = o.kind == get_options::what::agents;
  const auto records = read_records(c, **from, o.agent, agents);
  if (!records)
    return c.fail(records.error());
  const auto table =
    agents ? list_agents(*records, c.env.now()) : list_resources(*records, o.agent.empty());
  c.print(render(table, c.global.format, c.colour()));
  return exit_code::ok;
}

exit_code run(const context& c, const describe_options& o) {
  const auto from = c.connected();
  if (!from)
    return c.fail(from.error());
  const auto record = read_known(c, **from, o.agent);
  if (!record)
    return c.fail(record.error());
  const auto now = c.env.now();
  if (o.resource) {
    if (find_desired(*record, *o.resource) == nullptr
        && find_status(*record, *o.resource) == nullptr)
      return no_such_resource(c, o.agent, *o.resource);
    if (c.as_table())
      c.print(describe_resource(*record, *o.resource, now, c.colour()));
    else
      c.print_value(resource_value(*record, *o.resource));
    return exit_code::ok;
  }
  const auto device = (*from)->get(bucket::device_info, o.agent, c.time.left());
  const auto facts = device && *device ? (*device)->value : std::string{};
  if (c.as_table())
    c.print(describe_agent(*record, facts, now, c.colour()));
  else
    c.print_value(agent_value(*record, facts, now));
  return exit_code::ok;
}

} // namespace harmony::ctl

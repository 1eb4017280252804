#include "reconcilers/network_record.hpp"

#include <nlohmann/json.hpp>

// nlohmann's converters are found by their names in this namespace.
namespace harmony {

using nlohmann::json;

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(network_route, to, via, metric)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(link_address, cidr, permanent)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(link_route, route, protocol, source, onlink)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(link_facts, kind, parent, vlan_id, master, up, carrier, mtu,
                                   addresses, routes)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(network_own, addresses, routes, members)

namespace {

json trial_json(const network_trial& t) {
  json j{{"boot", t.boot}, {"untilMilliseconds", t.until.count()},
         {"what", t.what}, {"members", t.members},
         {"own", t.own},   {"recorded", t.recorded}};
  if (t.before)
    j["before"] = *t.before;
  return j;
}

network_trial trial_from(const json& j) {
  network_trial t;
  t.boot = j.at("boot");
  t.until = std::chrono::milliseconds{j.at("untilMilliseconds").get<std::int64_t>()};
  t.what = j.at("what");
  t.members = j.at("members").get<std::vector<std::string>>();
  t.own = j.at("own");
  t.recorded = j.at("recorded");
  if (const auto before = j.find("before"); before != j.end())
    t.before = before->get<link_facts>();
  return t;
}

} // namespace

std::string to_note(const network_record& record) {
  json j{{"own", record.own}};
  if (!record.kind.empty())
    j["kind"] = record.kind;
  if (record.trial)
    j["unconfirmed"] = trial_json(*record.trial);
  // The kernel takes any bytes for a link's name.
  return j.dump(-1, ' ', false, json::error_handler_t::replace);
}

network_record from_note(const std::string& note) {
  network_record record;
  try {
    const auto j = json::parse(note);
    record.kind = j.value("kind", std::string{});
    record.own = j.at("own");
    if (const auto trial = j.find("unconfirmed"); trial != j.end())
      record.trial = trial_from(*trial);
  } catch (const json::exception&) {
    return {};
  }
  return record;
}

} // namespace harmony

// The table [trust] of agent.toml.
#include <algorithm>
#include <optional>

#include <toml++/toml.h>

#include "trust/trust_policy.hpp"

namespace harmony {

namespace {

/// Where something stands in the file, for messages.
struct spot {
  const std::string& file;
  std::string field; ///< "trust.keys"

  [[nodiscard]] failure fail(const toml::node& at, const std::string& why) const {
    const auto& begin = at.source().begin;
    return {ec::invalid_spec, file + ":" + std::to_string(begin.line) + ":"
                                + std::to_string(begin.column) + ": " + field + ": " + why};
  }
};

outcome<std::uint32_t> read_number(const toml::node& node, std::int64_t most, const spot& where) {
  const auto value = node.value_exact<std::int64_t>();
  if (!value || *value < 1 || *value > most)
    return where.fail(node, "expected a number from 1 to " + std::to_string(most));
  return static_cast<std::uint32_t>(*value);
}

outcome<std::vector<named_key>> read_keys(const toml::node& node, const spot& where) {
  const auto* list = node.as_array();
  if (list == nullptr || list->empty() || list->size() > max_pinned_keys)
    return where.fail(node, "expected a list of 1 to " + std::to_string(max_pinned_keys)
                              + " public keys");
  std::vector<named_key> keys;
  for (const auto& each : *list) {
    const auto line = each.value_exact<std::string>();
    if (!line)
      return where.fail(each, "expected a text like \"ed25519:… alice\"");
    auto key = read_public_key(*line);
    if (!key)
      return where.fail(each, key.error().message);
    // One key under two names would count twice.
    if (std::any_of(keys.begin(), keys.end(),
                    [&](const named_key& k) { return k.key == key->key || k.name == key->name; }))
      return where.fail(each, "the key or the name of '" + key->name + "' is there twice");
    keys.push_back(std::move(*key));
  }
  return keys;
}

outcome<trust_policy> read_table(const toml::table& table, const std::string& file) {
  trust_policy policy;
  for (const auto& [key, node] : table)
    if (key != "keys" && key != "threshold" && key != "epoch")
      return spot{file, "trust." + std::string{key.str()}}.fail(
        node, "there is no such option; there are keys, threshold and epoch");
  const auto* keys = table.get("keys");
  if (keys == nullptr)
    return spot{file, "trust"}.fail(table, "has no keys: name those that may sign manifests");
  auto pinned = read_keys(*keys, {file, "trust.keys"});
  if (!pinned)
    return pinned.error();
  policy.keys = std::move(*pinned);
  if (const auto* node = table.get("threshold")) {
    const auto most = static_cast<std::int64_t>(policy.keys.size());
    const auto threshold = read_number(*node, most, {file, "trust.threshold"});
    if (!threshold)
      return threshold.error();
    policy.threshold = *threshold;
  }
  if (const auto* node = table.get("epoch")) {
    const auto epoch = read_number(*node, 0xFFFFFFFF, {file, "trust.epoch"});
    if (!epoch)
      return epoch.error();
    policy.epoch = *epoch;
  }
  return policy;
}

} // namespace

outcome<trust_policy> read_trust(std::string_view toml, const std::string& name) {
  try {
    const auto document = toml::parse(toml, name);
    const auto* node = document.get("trust");
    if (node == nullptr)
      return trust_policy{};
    if (const auto* table = node->as_table())
      return read_table(*table, name);
    return spot{name, "trust"}.fail(*node, "expected a table: [trust]");
  } catch (const toml::parse_error& e) {
    return {ec::invalid_document, name + ":" + std::to_string(e.source().begin.line) + ": "
                                    + std::string{e.description()}};
  }
}

} // namespace harmony

// The tables [trust] and [policy] of agent.toml, and what a device remembers of its keys.

#include <set>

#include "apps/agent/policy_file.hpp"
#include "core/known_keys.hpp"
#include "fuzz.hpp"
#include "trust/trust_policy.hpp"

namespace harmony::fuzz {

namespace {

constexpr auto file = "/etc/harmony-agent/agent.toml";

template <class T>
bool told(const outcome<T>& read) {
  return read || read.error().message.rfind(file, 0) == 0;
}

void check_trust(const trust_policy& policy) {
  const auto count = policy.keys.size();
  require(count <= max_pinned_keys, "keys are few");
  if (count == 0)
    return require(policy == trust_policy{}, "without keys nothing is asked for");
  std::set<std::string> names, ids;
  for (const auto& each : policy.keys) {
    names.insert(each.name);
    ids.insert(key_id_of(each.key));
  }
  require(names.size() == count && ids.size() == count, "keys and names are different");
  require(policy.threshold >= 1 && policy.threshold <= count, "the threshold can be reached");
  require(policy.epoch >= 1, "epochs begin with 1");
  require(keys_of(policy).size() == count + 2, "each is remembered by a name of its own");
  require(key_changes(keys_of(policy), keys_of(policy)).empty(), "the same is no change");
}

} // namespace

void take(std::string_view bytes) {
  const auto trust = read_trust(bytes, file);
  require(told(trust), "a fault is told with its file");
  if (trust)
    check_trust(*trust);
  const auto policy = read_policy(bytes, file);
  require(told(policy), "a fault is told with its file");
  if (policy)
    require(policy->file == "agent.toml", "a refusal names the file");
  if (const auto keys = read_known_keys(bytes))
    require(read_known_keys(write_known_keys(*keys)) == keys, "what is remembered is read back");
}

} // namespace harmony::fuzz

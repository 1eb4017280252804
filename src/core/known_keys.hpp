#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/audit_chain.hpp"
#include "trust/trust_policy.hpp"

namespace harmony {

/// Whom a device trusts and by what it is known, by name, each in its public text: "pinned key
/// alice" is "ed25519:… alice", "device key" is "U…". No value is a secret.
using known_keys = std::map<std::string, std::string>;

inline constexpr auto device_key_name = "device key";   ///< by which it logs in at the store
inline constexpr auto sealing_key_name = "sealing key"; ///< that secrets are sealed to

/// What a policy of signatures adds to these; nothing where none are asked for.
known_keys keys_of(const trust_policy& policy);

/// The events of the audit trail for what is other than it was, by name. `before` is absent where
/// nothing is known of an earlier time.
std::vector<audit_event> key_changes(const std::optional<known_keys>& before,
                                     const known_keys& now);

/// One line of text, and back; nothing for what is no such text.
std::string write_known_keys(const known_keys& keys);
std::optional<known_keys> read_known_keys(std::string_view text);

} // namespace harmony

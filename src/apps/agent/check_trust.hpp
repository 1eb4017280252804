#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "apps/agent/options.hpp"
#include "core/audit_chain.hpp"
#include "core/checkup.hpp"
#include "identity/jwt.hpp"
#include "model/status.hpp"
#include "transport/certificate.hpp"
#include "trust/trust_policy.hpp"

namespace harmony {

/// What was seen of a folder, as far as whose hands it is in goes.
struct hands_sight {
  std::string path;
  bool safe_owner = true; ///< root, or this user
  unsigned mode = 0700;   ///< permission bits
};

/// What was seen of the files that secretRefs name.
struct secrets_sight {
  std::optional<hands_sight> folder; ///< absent: there is none
  std::size_t files = 0;
  std::vector<std::string> faults; ///< of single files, with their remedies
};

/// What was seen of whom this device trusts and by what it is known. What is absent is not
/// configured, or does not concern it.
struct trust_sight {
  std::string agent;
  std::string state_dir;
  trust_policy policy;
  bool local_store = false; ///< a folder of this device
  bool running = false;     ///< an agent holds the state folder
  timestamp wall;
  std::optional<hands_sight> config;              ///< the folder of agent.toml
  std::optional<condition> verified;              ///< ManifestVerified, as the agent said last
  std::optional<condition> stale;                 ///< DesiredStale
  std::optional<outcome<std::string>> device_key; ///< the public part
  std::optional<outcome<jwt_head>> credentials;
  std::optional<outcome<certificate_head>> certificate;
  outcome<std::string> sealing_key = std::string{}; ///< its fingerprint
  secrets_sight secrets;
  outcome<audit_verdict> audit = audit_verdict{};
};

/// Pure: what is to be said of it.
findings judge(const trust_sight& t);

/// Looks, and changes nothing.
trust_sight look_at_trust(const agent_options& options, timestamp wall);

} // namespace harmony

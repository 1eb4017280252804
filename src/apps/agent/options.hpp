#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "apps/agent/audit_command.hpp"
#include "apps/agent/local_status.hpp"
#include "core/policy.hpp"
#include "model/outcome.hpp"
#include "trust/trust_policy.hpp"

namespace harmony {

enum class systemd_mode { system, user, off };
enum class log_format { text, json, journal };
enum class command_mode { all, read_only, off };

/// What the agent runs with. docs and defaults: config/agent.toml, which lists every option.
struct agent_options {
  std::string agent_id; ///< default: the host name, where it is a valid id
  std::string store = "dir:/var/lib/harmony/store";
  std::string store_credentials;
  std::string store_nkey;
  std::string store_ca;
  std::string store_cert;
  std::string store_key;
  std::string state_dir = "/var/lib/harmony-agent";
  std::string secrets_dir = "/etc/harmony-agent/secrets"; ///< of files that a secretRef may name
  std::string guard_dir = "/run/harmony-pgguard"; ///< a guard listens at CLUSTER/guard.sock of it
  systemd_mode systemd = systemd_mode::system;
  std::string podman = "/run/podman/podman.sock"; ///< path of the API socket; "off": none
  command_mode commands = command_mode::all;      ///< which commands of operators are taken
  std::chrono::milliseconds heartbeat_interval{10'000};
  std::chrono::milliseconds relist_interval{10'000};
  std::chrono::milliseconds poll_interval{60'000};
  std::chrono::milliseconds shutdown_grace{10'000};
  std::string metrics = "off"; ///< "127.0.0.1:PORT", "[::1]:PORT", "unix:/PATH" or "off"
  std::string log_level = "info";
  log_format format = log_format::text;
  std::string config;   ///< the file that was read; empty: none
  device_policy policy; ///< its [policy]
  trust_policy trust;   ///< its [trust]

  friend bool operator==(const agent_options&, const agent_options&) = default;
};

/// What `harmony-agent check` was asked for.
struct check_request {
  agent_options options;
  std::string fault; ///< why `options` are not all that was configured; empty: they are
  bool as_json = false;
};

/// What `harmony-agent support-bundle` was asked for.
struct bundle_request {
  /// A value that somebody gave, and where.
  struct given_value {
    std::string name, value, origin;
  };
  agent_options options;
  std::string fault; ///< as in check_request
  std::vector<given_value> given;
  std::string output; ///< the file; empty: one in the working folder, named after agent and time
};

/// What `harmony-agent enroll` was asked for.
struct enroll_request {
  std::string agent_id;
  std::string key_file;
  std::string token; ///< "-": on standard input; empty: only the key is made
  std::chrono::milliseconds wait{600'000};
  agent_options options;
  bool named = false; ///< somebody set the id: it is not the host name
  /// What was set of that which an enrolment sets, and where: name -> value and place.
  std::map<std::string, std::pair<std::string, std::string>> set;
};

/// What `harmony-agent key` was asked for.
struct key_request {
  std::string state_dir;
};

/// The command line asked for a text (help, version) or was wrong: what to print, and the exit
/// code.
struct early_exit {
  int code = 0;
  std::string text;
};

/// The agent itself, one of its other commands, or neither.
using parsed_options = std::variant<agent_options, status_request, check_request, bundle_request,
                                    audit_request, enroll_request, key_request, early_exit>;

/// Reads flags, HARMONY_… environment variables and the configuration file, in this order of
/// precedence. Every error names where the value came from (flag, variable, or file and line), what
/// was expected and what it got.
parsed_options read_options(int argc, const char* const* argv);

/// A duration like "250ms", "10s", "5m", "1h". Fails with invalid_spec.
outcome<std::chrono::milliseconds> parse_duration(std::string_view text);

} // namespace harmony

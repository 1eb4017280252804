#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "apps/ctl/printer.hpp"
#include "apps/ctl/server_settings.hpp"
#include "model/failover.hpp"
#include "model/ids.hpp"
#include "model/status.hpp"

namespace harmony::ctl {

using std::chrono::milliseconds;

/// What `wait` waits for.
struct wait_condition {
  enum class what {
    converged,  ///< the newest generation is observed and converged
    generation, ///< at least `generation` is observed
    phase,      ///< the agent says that it is in `phase`, at whatever generation
  };
  what kind = what::converged;
  generation_number generation = 0;
  agent_phase phase = agent_phase::converged;

  friend bool operator==(const wait_condition&, const wait_condition&) = default;
};

// One struct a command; named as on the command line.

struct init_options {};

struct plan_options {
  std::vector<std::string> files;
  std::string agent;
  bool offline = false; ///< do not ask the device
};

struct apply_options {
  std::vector<std::string> files;
  std::string agent;
  bool force = false;
  bool dry_run = false;
  std::optional<milliseconds> wait; ///< until converged, at most so long
  std::vector<std::string> keys;    ///< files of those that sign it
};

struct history_options {
  std::string agent;
};

struct rollback_options {
  std::string agent;
  generation_number to = 0; ///< 0: the one before the newest
  bool dry_run = false;
  std::optional<milliseconds> wait; ///< until converged, at most so long
  std::vector<std::string> keys;    ///< files of those that sign it
};

struct key_generate_options {
  std::string name;
  std::string folder = ".";
};

struct key_list_options {
  std::string folder = ".";
};

struct key_show_options {
  std::string file;
};

struct sign_options {
  std::string file;
  std::vector<std::string> keys;
  generation_number generation = 0; ///< 0: that in the file
  std::string into;                 ///< empty: standard output
};

struct verify_options {
  std::string file;
  std::vector<std::string> keys;
  std::string trust;           ///< an agent.toml; empty: none
  std::uint32_t threshold = 0; ///< 0: as `trust` says, or 1
};

struct get_options {
  enum class what { agents, resources, manifest };
  what kind = what::agents;
  std::string agent;     ///< empty: all
  bool envelope = false; ///< the manifest as it was written, with its signatures
};

struct describe_options {
  std::string agent;
  std::optional<resource_id> resource; ///< absent: the agent
};

struct explain_options {
  std::string agent;
  std::optional<resource_id> resource; ///< absent: the agent and all that is not ready
  bool live = false;                   ///< ask the device itself
};

struct check_options {
  std::string agent; ///< empty: the store alone
};

struct ping_options {
  std::string agent;
};

struct resync_options {
  std::string agent;
};

struct restart_options {
  std::string agent;
  resource_id resource;
  std::optional<milliseconds> wait; ///< until it is ready again, at most so long
};

struct hold_options {
  std::string agent;
  std::optional<resource_id> resource; ///< absent: the whole device
  milliseconds duration{3'600'000};
  std::string reason;
};

struct unhold_options {
  std::string agent;
  std::optional<resource_id> resource; ///< absent: every hold
};

struct logs_options {
  std::string agent;
  resource_id resource;
  std::uint32_t tail = 100;
  bool follow = false;
};

struct wait_options {
  std::string agent;
  wait_condition condition;
  milliseconds timeout{30'000};
};

struct watch_options {
  std::string agent; ///< empty: all
};

struct seal_options {
  std::string agent;              ///< whose key the store has; empty: `to` is the key
  std::string to;                 ///< "x25519:…"
  std::optional<resource_id> use; ///< only for this resource; absent: for any of the device
  std::string file = "-";         ///< with the secret; "-" is standard input
};

struct delete_options {
  std::string agent;
  bool yes = false;
};

struct server_config_options {
  server_settings server;
  std::string keys;                 ///< folder; empty: static keys
  bool in_memory = false;           ///< operator mode: no folder of JWTs
  std::vector<std::string> admins;  ///< public keys
  std::vector<std::string> devices; ///< "ID=NKEY"
  std::string devices_file;
  std::string tokens_file; ///< empty: nobody may enrol
  std::string out;         ///< empty: standard output
};

struct nkey_options {
  std::string file;
};

struct credentials_options {
  std::string name;
  std::string keys;
  std::string key; ///< public; empty: a new one
  bool admin = false;
  std::vector<std::string> clusters; ///< for failover, that the device is a member of
  std::optional<milliseconds> expires;
  std::string out;
};

struct revoke_options {
  std::string agent;
  std::string keys;
  std::string key;         ///< only this public key; empty: all of the device's
  bool superseded = false; ///< all but the newest, once the device was let in by that one
};

struct token_create_options {
  std::string device; ///< the only id that they are good for; empty: any
  milliseconds expires{std::chrono::hours{24}};
  int count = 1;
  std::string server; ///< URL that devices reach the store by; empty: as harmonyctl does
  std::string keys;   ///< operator mode: folder
  std::string tokens; ///< static keys: the file that server-config reads
};

struct token_list_options {};

struct token_revoke_options {
  std::string id;
  std::string reason;
};

struct enrolments_options {};

struct approve_options {
  std::string which;       ///< device, or id of a token
  std::string fingerprint; ///< that the device shows; empty: somebody has compared it
  std::string keys;        ///< operator mode: folder
  std::string devices;     ///< static keys: the file that server-config reads
  std::optional<milliseconds> expires;
  bool replace = false; ///< although the device has a key which has not signed the request
  bool yes = false;
};

struct deny_options {
  std::string which;
  std::string reason;
};

struct failover_list_options {};

struct failover_status_options {
  std::string cluster;
};

struct failover_history_options {
  std::string cluster;
};

struct failover_init_options {
  std::string cluster;
  int replicas = 1;
};

struct failover_order_options {
  std::string cluster;
  failover::command_kind kind = failover::command_kind::switchover;
  std::string to; ///< a member; empty: the best one
  bool allow_data_loss = false;
  bool yes = false;
  std::optional<milliseconds> wait; ///< until it happened, at most so long
};

struct schema_options {
  std::string document; ///< "manifest" or "status"
};

struct validate_options {
  std::vector<std::string> files;
  std::string agent;
};

struct version_options {};

struct completion_options {
  std::string shell; ///< "bash", "zsh" or "fish"
};

/// What the completion scripts call: the words of the line so far, the last one unfinished.
struct complete_options {
  std::vector<std::string> words;
};

using command_options =
  std::variant<init_options, plan_options, apply_options, get_options, describe_options,
               explain_options, history_options, rollback_options, wait_options, watch_options,
               ping_options, resync_options, restart_options, hold_options, unhold_options,
               logs_options, delete_options, seal_options, check_options, server_config_options,
               nkey_options, credentials_options, revoke_options, schema_options, validate_options,
               version_options, completion_options, complete_options, key_generate_options,
               key_list_options, key_show_options, sign_options, verify_options,
               token_create_options, token_list_options, token_revoke_options, enrolments_options,
               approve_options, deny_options, failover_list_options, failover_status_options,
               failover_history_options, failover_init_options, failover_order_options>;

struct global_options {
  std::string store = "dir:/var/lib/harmony/store";
  std::string credentials;
  std::string nkey;
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  output_format format = output_format::table;
  milliseconds timeout{10'000}; ///< of everything but waiting for a device
  bool no_color = false;
};

struct options {
  global_options global;
  command_options command;
};

} // namespace harmony::ctl

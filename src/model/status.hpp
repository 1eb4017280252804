#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/ids.hpp"
#include "model/manifest.hpp"

namespace harmony {

/// Where a resource stands in its lifecycle; docs/lifecycle.md has the table.
enum class resource_phase {
  pending,
  blocked,
  observing,
  applying,
  probing,
  ready,
  drifted,
  failed,
  removing,
  removed,
  rejected,
};

/// Where the device stands as a whole.
enum class agent_phase {
  starting,   ///< no manifest seen yet
  converging, ///< some resource is on its way
  converged,  ///< every resource was observed to equal its desire at this generation
  degraded,   ///< some resource failed or was rejected; the others are where they should be
  rejected,   ///< the newest document was not accepted; the one before it stays in force
};

/// "Ready", "Failed", …: the wire name.
std::string_view name_of(resource_phase p) noexcept;
std::string_view name_of(agent_phase p) noexcept;

/// Observed state, by kind.
struct file_state {
  std::string present_at; ///< "sha256:…" of the content, "secret" or "private"; empty: absent
  std::string mode;       ///< octal

  friend bool operator==(const file_state&, const file_state&) = default;
};

struct directory_state {
  bool present = false;
  std::string mode;

  friend bool operator==(const directory_state&, const directory_state&) = default;
};

struct unit_status {
  std::string active; ///< systemd's ActiveState
  std::string sub;    ///< systemd's SubState
  std::uint32_t restarts = 0;
  std::string enabled; ///< systemd's UnitFileState

  friend bool operator==(const unit_status&, const unit_status&) = default;
};

struct container_running {
  std::string since; ///< RFC 3339
  std::uint32_t restarts = 0;

  friend bool operator==(const container_running&, const container_running&) = default;
};

struct container_terminated {
  std::int32_t exit_code = 0;
  std::string finished; ///< RFC 3339
  std::uint32_t restarts = 0;

  friend bool operator==(const container_terminated&, const container_terminated&) = default;
};

struct container_waiting {
  std::string reason; ///< e.g. "absent", "created"

  friend bool operator==(const container_waiting&, const container_waiting&) = default;
};

/// On the wire `{"container": {"running": {…}}}`, one of running, terminated, waiting; plus `id`
/// and `image` beside it.
struct container_state {
  std::string id;    ///< runtime's id; empty: absent
  std::string image; ///< id of the image it runs
  std::variant<container_waiting, container_running, container_terminated> state;

  friend bool operator==(const container_state&, const container_state&) = default;
};

/// The last run of a ShellJob.
struct job_state {
  std::string skipped; ///< the guard that made a run needless: "unless" or "creates"; empty: none
  std::optional<std::int32_t> exit_code; ///< absent: it has not ended, or a signal ended it
  std::string signal;                    ///< e.g. "KILL"; empty: none
  std::string started;                   ///< RFC 3339
  std::string finished;                  ///< RFC 3339; empty: it runs
  std::string standard_output;           ///< its end, at most 2 KiB
  std::string standard_error;            ///< likewise

  friend bool operator==(const job_state&, const job_state&) = default;
};

struct package_status {
  std::string version; ///< installed; empty: none

  friend bool operator==(const package_status&, const package_status&) = default;
};

struct user_state {
  bool present = false;
  std::uint32_t uid = 0;
  std::vector<std::string> groups; ///< supplementary ones, sorted

  friend bool operator==(const user_state&, const user_state&) = default;
};

struct network_status {
  bool present = false;
  bool up = false;
  bool carrier = false;
  std::uint32_t mtu = 0;
  std::vector<std::string> addresses; ///< in CIDR notation, sorted

  friend bool operator==(const network_status&, const network_status&) = default;
};

/// This device's member of a PostgreSQL cluster.
struct cluster_state {
  std::string role;   ///< "primary", "standby", "stopped", "rejoining"; empty: it does not run
  std::string guard;  ///< ActiveState of its guard's unit; empty: there is none
  std::string detail; ///< for a person: phase, timeline, lag, why it does not take over

  friend bool operator==(const cluster_state&, const cluster_state&) = default;
};

using resource_state =
  std::variant<std::monostate, file_state, directory_state, unit_status, container_state, job_state,
               package_status, user_state, network_status, cluster_state>;

/// Until then nothing is changed on the device: an operator holds the resource, or all of them.
struct resource_hold {
  timestamp until;
  std::string reason; ///< for a person; may be empty

  friend bool operator==(const resource_hold&, const resource_hold&) = default;
};

struct resource_status {
  std::string revision;         ///< desired
  std::string applied_revision; ///< last one seen to be in place
  resource_phase phase = resource_phase::pending;
  std::string reason;  ///< CamelCase; empty where the phase says all
  std::string message; ///< for a person
  std::optional<timestamp> next_retry;
  std::uint32_t attempts = 0; ///< applies since the desire changed
  std::uint32_t restarts = 0; ///< repairs of what was in place, over restarts of the agent
  std::optional<timestamp> last_transition; ///< when `phase` or `reason` changed
  std::string origin;
  std::optional<resource_hold> hold;
  resource_state state;

  friend bool operator==(const resource_status&, const resource_status&) = default;
};

enum class condition_state { true_, false_, unknown };

struct condition {
  std::string type; ///< "Ready", "ManifestAccepted", "StoreConnected", "Unsigned", …
  condition_state status = condition_state::unknown;
  std::string reason;
  std::string message;
  timestamp last_transition;
  generation_number observed_generation = 0; ///< of the manifest that it speaks of; 0: of none

  friend bool operator==(const condition&, const condition&) = default;
};

struct agent_status {
  std::string agent;
  std::string boot_id;        ///< of this run of the agent: 16 hexadecimal digits
  std::uint64_t sequence = 0; ///< counts the writes of this run
  generation_number observed_generation = 0;
  agent_phase phase = agent_phase::starting;
  std::vector<condition> conditions;
  std::map<resource_id, resource_status> resources;
  /// Boot id of another run of the agent that found this document under its own key: two agents
  /// have one id. Empty: none.
  std::string contender;

  friend bool operator==(const agent_status&, const agent_status&) = default;
};

/// Reads a status; unknown fields are ignored.
outcome<agent_status> read_status(std::string_view json);

/// Writes a status as compact JSON.
std::string write_status(const agent_status& s);

/// A heartbeat, at most 95 bytes of JSON: boot id, sequence, observed generation, phase.
struct heartbeat {
  std::string boot_id;
  std::uint64_t sequence = 0;
  generation_number observed_generation = 0;
  agent_phase phase = agent_phase::starting;

  friend bool operator==(const heartbeat&, const heartbeat&) = default;
};

outcome<heartbeat> read_heartbeat(std::string_view json);
std::string write_heartbeat(const heartbeat& h);

} // namespace harmony

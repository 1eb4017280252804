#pragma once

// The declarations (Scores) of each resource kind, as they stand in `spec` of a resource.
// Absent optional members mean "not managed" unless a default is named.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/secret.hpp"

namespace harmony {

/// Content to be downloaded, verified before use.
struct remote_content {
  std::string url;    ///< http:// or https://
  std::string sha256; ///< 64 lower-case hexadecimal digits

  friend bool operator==(const remote_content&, const remote_content&) = default;
};

/// Kind `File`: a regular file. Exactly one of `content`, `content_base64`, `source` and
/// `secret` is set.
struct file_spec {
  std::string path;                   ///< absolute and normal: no "..", no "//", no trailing "/"
  std::optional<std::string> content; ///< text
  std::optional<std::string> content_base64; ///< RFC 4648 section 4, with padding
  std::optional<remote_content> source;
  std::optional<secret_ref> secret; ///< `secretRef`; then `mode` is given, and for no others
  std::string mode = "0644";        ///< octal, four digits
  std::string owner;                ///< user name or number; empty: the agent's own user
  std::string group;                ///< group name or number; empty: the owner's primary group
  bool adopt = false;               ///< take over a file that exists and is not the agent's

  friend bool operator==(const file_spec&, const file_spec&) = default;
};

/// Kind `Directory`: a folder, not what lies in it.
struct directory_spec {
  std::string path; ///< as in file_spec
  std::string mode = "0755";
  std::string owner;
  std::string group;
  bool adopt = false;

  friend bool operator==(const directory_spec&, const directory_spec&) = default;
};

enum class unit_state { active, inactive };

/// Kind `SystemdUnit`. Without `content` the unit is somebody else's and only its enablement and
/// state are managed.
struct systemd_unit_spec {
  std::string unit;                   ///< full name with suffix, e.g. "web.service"
  std::optional<std::string> content; ///< of the unit file
  std::optional<bool> enabled;        ///< absent: left as it is
  unit_state state = unit_state::active;

  friend bool operator==(const systemd_unit_spec&, const systemd_unit_spec&) = default;
};

enum class pull_policy { if_not_present, always, never };
enum class transport_protocol { tcp, udp };

struct port_mapping {
  std::uint16_t host = 0;      ///< 1..65535
  std::uint16_t container = 0; ///< 1..65535
  transport_protocol protocol = transport_protocol::tcp;
  std::string host_ip; ///< empty: all addresses

  friend bool operator==(const port_mapping&, const port_mapping&) = default;
};

enum class mount_type { bind, volume, tmpfs };

struct container_mount {
  mount_type type = mount_type::bind;
  std::string source; ///< host path (bind) or volume name (volume); empty for tmpfs
  std::string target; ///< absolute path in the container
  bool read_only = false;

  friend bool operator==(const container_mount&, const container_mount&) = default;
};

/// Kind `Container`. Its runtime name is `harmony-<resource name>`.
struct container_spec {
  std::string image;                              ///< reference by digest or tag
  pull_policy pull = pull_policy::if_not_present; ///< `pullPolicy`: IfNotPresent, Always, Never
  std::vector<std::string> entrypoint;            ///< empty: the image's
  std::vector<std::string> command;               ///< empty: the image's
  std::map<std::string, std::string> env;
  std::map<std::string, secret_ref> secret_env; ///< `secretEnv`; has no name of `env`
  std::vector<port_mapping> ports;
  std::vector<container_mount> mounts;
  std::string user; ///< "user[:group]"; empty: the image's
  std::string
    network; ///< "bridge", "host", "none" or a network's name; empty: the runtime's default
  std::string working_dir;      ///< `workingDir`; empty: the image's
  std::uint64_t memory = 0;     ///< limit in bytes (`memory`: "64Mi" or a number); 0: none
  std::uint32_t pids_limit = 0; ///< `pidsLimit`; 0: the runtime's default

  friend bool operator==(const container_spec&, const container_spec&) = default;
};

/// Runs in the resource's container if it is one, otherwise on the device.
struct exec_probe {
  std::vector<std::string> command; ///< argument vector, never a shell string

  friend bool operator==(const exec_probe&, const exec_probe&) = default;
};

struct tcp_probe {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;

  friend bool operator==(const tcp_probe&, const tcp_probe&) = default;
};

struct http_probe {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::string path = "/";

  friend bool operator==(const http_probe&, const http_probe&) = default;
};

/// A unit's ActiveState, in systemd's words.
enum class active_state { active, reloading, inactive, failed, activating, deactivating };

struct unit_probe {
  std::string unit; ///< empty: the resource's own, which only a SystemdUnit has
  active_state state = active_state::active;

  friend bool operator==(const unit_probe&, const unit_probe&) = default;
};

/// One probe, with Kubernetes' meaning and defaults; times in seconds.
struct probe {
  std::variant<exec_probe, tcp_probe, http_probe, unit_probe>
    check;                             ///< on the wire one of `exec`, `tcp`, `http`, `unit`
  std::uint32_t initial_delay = 0;     ///< `initialDelaySeconds`, 0..86400
  std::uint32_t period = 10;           ///< `periodSeconds`, 1..86400
  std::uint32_t timeout = 1;           ///< `timeoutSeconds`, 1..3600
  std::uint32_t success_threshold = 1; ///< `successThreshold`, 1..100; 1 for startup and liveness
  std::uint32_t failure_threshold = 3; ///< `failureThreshold`, 1..100

  friend bool operator==(const probe&, const probe&) = default;
};

struct probe_set {
  std::optional<probe> startup, readiness, liveness;

  [[nodiscard]] bool empty() const noexcept { return !startup && !readiness && !liveness; }
  friend bool operator==(const probe_set&, const probe_set&) = default;
};

/// Kind `ShellJob`: a command that runs once a revision, as a transient systemd unit in a sandbox.
struct shell_job_spec {
  std::vector<std::string> command; ///< argument vector, never a shell string; [0] is absolute
  std::vector<std::string> unless;  ///< exit code 0 of it means: nothing to do; empty: no guard
  std::string creates;              ///< a path that exists means: nothing to do; empty: no guard
  std::map<std::string, std::string> env;
  std::string working_dir;             ///< `workingDir`; empty: "/"
  std::string user;                    ///< empty: a user made up for the run (DynamicUser=)
  std::vector<std::string> writable;   ///< `writablePaths`: all else is read-only
  bool network = false;                ///< whether it sees the device's network
  std::uint32_t timeout = 300;         ///< `timeoutSeconds`, 1..86400
  std::uint64_t memory = 256ULL << 20; ///< limit in bytes
  std::uint32_t tasks = 64;            ///< `tasksLimit`: processes and threads, 1..4194304
  std::uint32_t cpu_percent = 100;     ///< `cpuPercent` of one core, 1..10000

  friend bool operator==(const shell_job_spec&, const shell_job_spec&) = default;
};

enum class package_state { present, absent };

/// Kind `Package`: a package of the distribution's package manager.
struct package_spec {
  std::string package; ///< e.g. "curl"
  package_state state = package_state::present;
  std::string version; ///< exact; empty: whichever is there, or the newest where none is

  friend bool operator==(const package_spec&, const package_spec&) = default;
};

/// Kind `User`: an account of the device and its groups.
struct user_spec {
  std::string user;                 ///< login name
  std::optional<std::uint32_t> uid; ///< absent: the next free one
  std::string group;                ///< primary group; empty: one of the user's name
  std::vector<std::string> groups;  ///< supplementary ones that it must be in; must exist
  std::optional<std::string> home;  ///< absent: the distribution's default
  std::optional<std::string> shell; ///< absent: the distribution's default
  std::string comment;              ///< the GECOS field
  bool system = false;              ///< a system account
  bool adopt = false;               ///< take over an account that exists

  friend bool operator==(const user_spec&, const user_spec&) = default;
};

enum class link_type { physical, dummy, bridge, vlan };
enum class link_state { up, down };

struct network_route {
  std::string to;  ///< "default" or a network in CIDR notation
  std::string via; ///< gateway; empty: on the link
  std::uint32_t metric = 0;

  friend bool operator==(const network_route&, const network_route&) = default;
};

/// Kind `Network`: one link, its addresses and its routes.
struct network_spec {
  std::string link; ///< interface name
  link_type type = link_type::physical;
  std::string parent;               ///< of a vlan
  std::uint16_t vlan_id = 0;        ///< `vlanId` of a vlan, 1..4094
  std::vector<std::string> members; ///< of a bridge
  link_state state = link_state::up;
  std::uint32_t mtu = 0;              ///< 68..65535; 0: as it is
  std::vector<std::string> addresses; ///< in CIDR notation
  std::vector<network_route> routes;
  /// `confirmSeconds`: a change after which the store is not reached again in this time is undone;
  /// 0: never.
  std::uint32_t confirm = 60;

  friend bool operator==(const network_spec&, const network_spec&) = default;
};

/// A member of a PostgreSQL cluster, as every member's manifest names it.
struct postgres_member {
  std::string name; ///< lower-case letters, digits and '_': also a replication slot's name
  std::string host; ///< where the others reach its PostgreSQL: name or address
  std::uint16_t port = 5432;

  friend bool operator==(const postgres_member&, const postgres_member&) = default;
};

/// What a commit waits for.
enum class postgres_mode { async, strict, quorum };

enum class postgres_profile { fast, normal };

/// Each 0: the profile's. docs/reconcilers/postgres-cluster.md has their meaning and inequalities.
struct postgres_timings {
  std::uint32_t lease = 0; ///< all in milliseconds
  std::uint32_t kill = 0;
  std::uint32_t stop = 0;
  std::uint32_t window = 0;
  std::uint32_t renew = 0;
  std::uint32_t request = 0;

  friend bool operator==(const postgres_timings&, const postgres_timings&) = default;
};

/// Where health is asked for over HTTP: `/primary`, `/replica`, `/health`.
struct postgres_endpoint {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0; ///< 0: none

  friend bool operator==(const postgres_endpoint&, const postgres_endpoint&) = default;
};

/// Kind `PostgresCluster`: this device's member of a PostgreSQL failover cluster.
struct postgres_cluster_spec {
  std::string cluster; ///< the same in all members' manifests
  std::string member;  ///< this one's name; it is among `members`
  std::vector<postgres_member> members;
  std::string data_dir; ///< absolute
  std::string version;  ///< major, e.g. "15"; empty: that of the data, else the newest installed
  std::string owner = "postgres";                 ///< account that PostgreSQL runs as
  std::string socket_dir = "/var/run/postgresql"; ///< of PostgreSQL's Unix socket; absolute
  postgres_mode mode = postgres_mode::async;
  std::uint32_t sync_count = 1; ///< strict, quorum
  postgres_profile profile = postgres_profile::fast;
  postgres_timings timings;
  std::uint64_t max_lag = std::uint64_t{16} << 20U; ///< bytes; async
  std::uint32_t priority = 1;                       ///< 0: never promoted by itself
  bool bootstrap = false; ///< makes the cluster where there is none; for exactly one member
  bool rewind = true;     ///< else a member whose data went astray is cloned anew
  std::uint32_t restart =
    0; ///< seconds in which a dead primary may come back in place; 0: hand over
  std::string replication_user = "replicator";
  std::optional<secret_ref> replication_password;
  std::map<std::string, std::string> parameters; ///< of postgresql.conf
  std::vector<std::string> hba;                  ///< lines of pg_hba.conf
  postgres_endpoint endpoint;

  friend bool operator==(const postgres_cluster_spec&, const postgres_cluster_spec&) = default;
};

using resource_spec =
  std::variant<file_spec, directory_spec, systemd_unit_spec, container_spec, shell_job_spec,
               package_spec, user_spec, network_spec, postgres_cluster_spec>;

/// The kind's name on the wire, e.g. "File".
std::string_view kind_of(const resource_spec& spec) noexcept;

} // namespace harmony

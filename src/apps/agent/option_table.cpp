#include "apps/agent/option_table.hpp"

#include <array>
#include <string>

#include "apps/agent/metrics_address.hpp"
#include "model/ids.hpp"

namespace harmony {

namespace {

using std::chrono::milliseconds;

outcome<void> expected(const std::string& what, std::string_view got) {
  return {ec::invalid_spec, "expected " + what + ", got '" + std::string{got} + "'"};
}

outcome<void> set_id(agent_options& o, std::string_view v) {
  if (!is_name(v))
    return expected("1 to 63 of a-z, 0-9 and '-', not beginning or ending with '-'", v);
  o.agent_id = v;
  return {};
}

outcome<void> set_store(agent_options& o, std::string_view v) {
  if (v.rfind("nats://", 0) != 0 && v.rfind("tls://", 0) != 0 && v.rfind("dir:/", 0) != 0)
    return expected("nats://HOST:PORT, tls://HOST:PORT or dir:/PATH", v);
  o.store = v;
  return {};
}

template <std::string agent_options::*Member>
outcome<void> set_path(agent_options& o, std::string_view v) {
  if (!v.empty() && v.front() != '/')
    return expected("an absolute path", v);
  o.*Member = v;
  return {};
}

outcome<void> set_systemd(agent_options& o, std::string_view v) {
  if (v == "system")
    o.systemd = systemd_mode::system;
  else if (v == "user")
    o.systemd = systemd_mode::user;
  else if (v == "off")
    o.systemd = systemd_mode::off;
  else
    return expected("system, user or off", v);
  return {};
}

outcome<void> set_podman(agent_options& o, std::string_view v) {
  if (v != "off" && (v.empty() || v.front() != '/'))
    return expected("the absolute path of podman's socket, or off", v);
  o.podman = v;
  return {};
}

outcome<void> set_commands(agent_options& o, std::string_view v) {
  if (v == "all")
    o.commands = command_mode::all;
  else if (v == "read-only")
    o.commands = command_mode::read_only;
  else if (v == "off")
    o.commands = command_mode::off;
  else
    return expected("all, read-only or off", v);
  return {};
}

template <milliseconds agent_options::*Member, int Least, int Most>
outcome<void> set_duration(agent_options& o, std::string_view v) {
  const auto d = parse_duration(v);
  if (!d)
    return d.error();
  if (*d < milliseconds{Least} || *d > milliseconds{Most})
    return expected(
      "a duration from " + std::to_string(Least) + "ms to " + std::to_string(Most / 1000) + "s", v);
  o.*Member = *d;
  return {};
}

outcome<void> set_metrics(agent_options& o, std::string_view v) {
  if (v != "off")
    if (const auto at = parse_metrics_address(v); !at)
      return at.error();
  o.metrics = v;
  return {};
}

outcome<void> set_log_level(agent_options& o, std::string_view v) {
  static constexpr std::array<std::string_view, 5> levels{"debug", "info", "warn", "error", "off"};
  if (std::find(levels.begin(), levels.end(), v) == levels.end())
    return expected("debug, info, warn, error or off", v);
  o.log_level = v;
  return {};
}

outcome<void> set_log_format(agent_options& o, std::string_view v) {
  if (v == "text")
    o.format = log_format::text;
  else if (v == "json")
    o.format = log_format::json;
  else if (v == "journal")
    o.format = log_format::journal;
  else
    return expected("text, json or journal", v);
  return {};
}

constexpr std::array table{
  option_entry{"agent-id", "ID", "Who this device is [the host name]", set_id},
  option_entry{"store", "URL",
               "Where desired and actual state live: nats://…, tls://… or dir:/PATH "
               "[dir:/var/lib/harmony/store]",
               set_store},
  option_entry{"store-credentials", "FILE",
               "NATS credentials: .creds, or a JWT beside the nkey [none]",
               set_path<&agent_options::store_credentials>},
  option_entry{"store-nkey", "FILE", "This device's NATS key (seed, mode 0600) [none]",
               set_path<&agent_options::store_nkey>},
  option_entry{"store-ca", "FILE", "CA certificates of the store [the system's]",
               set_path<&agent_options::store_ca>},
  option_entry{"store-cert", "FILE", "This device's certificate, for mutual TLS [none]",
               set_path<&agent_options::store_cert>},
  option_entry{"store-key", "FILE", "The certificate's key (mode 0600) [none]",
               set_path<&agent_options::store_key>},
  option_entry{"state-dir", "DIR", "The agent's own state [/var/lib/harmony-agent]",
               set_path<&agent_options::state_dir>},
  option_entry{"secrets-dir", "DIR",
               "Files that a secretRef of a manifest may name [/etc/harmony-agent/secrets]",
               set_path<&agent_options::secrets_dir>},
  option_entry{
    "guard-dir", "DIR",
    "Where the guards of PostgreSQL listen, at CLUSTER/guard.sock [/run/harmony-pgguard]",
    set_path<&agent_options::guard_dir>},
  option_entry{"systemd", "MODE", "Service manager: system, user or off [system]", set_systemd},
  option_entry{"podman", "SOCKET", "podman's API socket, or off [/run/podman/podman.sock]",
               set_podman},
  option_entry{"commands", "WHICH", "Commands of operators: all, read-only or off [all]",
               set_commands},
  option_entry{"heartbeat-interval", "TIME", "Between heartbeats [10s]",
               set_duration<&agent_options::heartbeat_interval, 100, 3'600'000>},
  option_entry{"relist-interval", "TIME", "Between full looks at each runtime [10s]",
               set_duration<&agent_options::relist_interval, 1'000, 3'600'000>},
  option_entry{"poll-interval", "TIME", "Between reads of the desired state without a hint [60s]",
               set_duration<&agent_options::poll_interval, 1'000, 86'400'000>},
  option_entry{"shutdown-grace", "TIME", "For an orderly stop [10s]",
               set_duration<&agent_options::shutdown_grace, 100, 600'000>},
  option_entry{"metrics", "ADDRESS",
               "Prometheus metrics: 127.0.0.1:PORT, [::1]:PORT, unix:/PATH or off [off]",
               set_metrics},
  option_entry{"log-level", "LEVEL", "debug, info, warn, error or off [info]", set_log_level},
  option_entry{"log-format", "FORMAT", "text, json or journal [text]", set_log_format},
};

} // namespace

std::span<const option_entry> option_table() {
  return table;
}

} // namespace harmony

#include "failover/translate.hpp"

#include <chrono>

namespace harmony::failover {

namespace {

sync_mode mode_of(postgres_mode m) {
  switch (m) {
  case postgres_mode::async: return sync_mode::async;
  case postgres_mode::strict: return sync_mode::strict;
  case postgres_mode::quorum: return sync_mode::quorum;
  }
  return sync_mode::async;
}

} // namespace

outcome<void> check_timings(const postgres_cluster_spec& spec) {
  std::string wrong;
  for (const auto& each : validate(timings_of(spec)))
    wrong += (wrong.empty() ? "" : "; ") + each.message;
  if (!wrong.empty())
    return {ec::invalid_spec, "spec.timings: " + wrong};
  return {};
}

config config_of(const postgres_cluster_spec& spec) {
  config c;
  c.node = spec.member;
  for (const auto& m : spec.members)
    c.members.push_back(m.name);
  c.periods = timings_of(spec);
  c.mode = mode_of(spec.mode);
  c.sync_count = spec.sync_count;
  c.max_lag = spec.max_lag;
  c.priority = spec.priority;
  c.may_create = spec.bootstrap;
  c.may_rewind = spec.rewind;
  c.restart_limit = std::chrono::seconds{spec.restart};
  return c;
}

member_settings settings_of(const postgres_cluster_spec& spec, const std::string& guard_dir) {
  member_settings s;
  s.cluster = spec.cluster;
  s.node = spec.member;
  for (const auto& m : spec.members)
    s.members.push_back({m.name, m.host, m.port});
  s.data_dir = spec.data_dir;
  s.socket_dir = spec.socket_dir;
  s.guard_socket = guard_dir + "/" + spec.cluster + "/guard.sock";
  s.replication_user = spec.replication_user;
  if (spec.replication_password && spec.replication_password->value)
    s.replication_password = *spec.replication_password->value;
  s.parameters = spec.parameters;
  s.hba = spec.hba;
  s.periods = timings_of(spec);
  return s;
}

bool same_but_for_conduct(postgres_cluster_spec a, const postgres_cluster_spec& b) {
  a.mode = b.mode;
  a.sync_count = b.sync_count;
  a.max_lag = b.max_lag;
  a.priority = b.priority;
  a.bootstrap = b.bootstrap;
  a.rewind = b.rewind;
  a.restart = b.restart;
  return a == b;
}

} // namespace harmony::failover

#include "actors/root.hpp"

#include <algorithm>

#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include "actors/dispatcher.hpp"

namespace harmony {

namespace {

using self_pointer = root_actor::stateful_pointer<root_state>;

/// Spawns an actor that may block: on a thread of its own, but on the scheduler in virtual time.
template <class Function, class Config>
auto spawn_blocking(self_pointer self, bool own_thread, Function f, Config config) {
  return own_thread ? self->spawn<caf::detached>(f, std::move(config))
                    : self->spawn(f, std::move(config));
}

lane_actor spawn_lane(self_pointer self, const std::string& name, std::shared_ptr<executor> workers,
                      lane_limits limits,
                      std::shared_ptr<lane_counters> counters = std::make_shared<lane_counters>()) {
  lane_config config;
  config.name = name;
  config.workers = std::move(workers);
  config.limits = limits;
  config.counters = std::move(counters);
  auto result = self->spawn(lane, std::move(config));
  self->state.lanes.push_back(result);
  return result;
}

std::map<runtime_kind, lane_actor> spawn_lanes(self_pointer self, const agent_config& c) {
  std::map<runtime_kind, lane_actor> lanes;
  for (const auto& [kind, runtime] : c.runtimes) {
    lanes[kind] = spawn_lane(self, runtime.name, runtime.workers, runtime.limits, runtime.counters);
  }
  return lanes;
}

void spawn_reporting(self_pointer self, const agent_config& c) {
  auto& s = self->state;
  heartbeat_config beat;
  beat.agent = c.id;
  beat.boot_id = c.boot_id;
  beat.link = c.link;
  beat.interval = c.heartbeat_interval;
  beat.counters = c.counters;
  s.heartbeat = spawn_blocking(self, c.own_threads, heartbeat_sender, std::move(beat));

  status_aggregator_config status;
  status.agent = c.id;
  status.boot_id = c.boot_id;
  status.actual = c.link;
  status.heartbeat = s.heartbeat;
  status.wall_clock = c.wall_clock;
  status.conditions = c.conditions;
  status.keep = c.keep_status;
  status.keep_connection = c.keep_connection;
  status.facts = c.facts;
  status.look_interval = c.poll_interval;
  status.seed = c.seed;
  status.counters = c.writes;
  s.aggregator = spawn_blocking(self, c.own_threads, status_aggregator, std::move(status));
}

std::shared_ptr<const supervisor_services> spawn_converging(self_pointer self,
                                                            const agent_config& c) {
  auto& s = self->state;
  auto services = std::make_shared<supervisor_services>();
  services->agent = c.id;
  services->drivers = c.drivers;
  services->lanes = spawn_lanes(self, c);
  services->probe_lane = spawn_lane(self, "probes", c.probe_workers, lane_limits{8});
  services->probes = c.probes;
  services->owned = c.state;
  services->retries = c.state;
  services->holds = c.state;
  services->log = c.flight;
  services->limits = c.limits;
  services->backoff = c.backoff;
  services->seed = c.seed;
  services->wall_clock = c.wall_clock;
  const auto lanes = services->lanes;
  s.dispatcher = self->spawn(dispatcher, dispatcher_config{services, s.aggregator, c.state});

  for (const auto& [kind, runtime] : c.runtimes) {
    if (!runtime.monitor)
      continue;
    observer_config config;
    config.runtime = kind;
    config.name = runtime.name;
    config.monitor = runtime.monitor;
    config.lane = lanes.at(kind);
    config.dispatcher = s.dispatcher;
    config.relist_streaming = c.relist_interval;
    s.observers.push_back(self->spawn(observer, std::move(config)));
    self->send(s.dispatcher, observer_joined{kind, s.observers.back()});
  }
  return services;
}

void spawn_command_server(self_pointer self, const agent_config& c,
                          std::shared_ptr<const supervisor_services> services) {
  auto& s = self->state;
  if (c.commands == command_access::off)
    return;
  command_server_config config;
  config.services = std::move(services);
  config.boot_id = c.boot_id;
  config.version = c.version;
  config.access = c.commands;
  config.audit = c.audit;
  config.dispatcher = s.dispatcher;
  config.watcher = s.watcher;
  config.aggregator = s.aggregator;
  config.log_lane = spawn_lane(self, "logs", c.log_workers, lane_limits{4, 16});
  s.commands = spawn_blocking(self, c.own_threads, command_server, std::move(config));
}

void spawn_watcher(self_pointer self, const agent_config& c) {
  auto& s = self->state;
  manifest_watcher_config watch;
  watch.terms = {c.id, c.trust};
  watch.desired = c.link;
  watch.state = c.state;
  watch.flight = c.flight;
  watch.audit = c.audit;
  watch.dispatcher = s.dispatcher;
  watch.aggregator = s.aggregator;
  watch.wall_clock = c.wall_clock;
  watch.poll_interval = c.poll_interval;
  watch.seed = c.seed;
  s.watcher = spawn_blocking(self, c.own_threads, manifest_watcher, std::move(watch));
  self->send(s.aggregator, watcher_joined{s.watcher});
}

/// Lets the store's threads reach the root. They hold it weakly: the store outlives it.
void follow_store(self_pointer self, const agent_config& c) {
  const auto me = caf::actor_cast<caf::weak_actor_ptr>(self);
  auto hints = c.link->watch(bucket::desired_state, c.id, [me](const std::string& key) {
    if (auto strong = caf::actor_cast<root_actor>(me))
      caf::anon_send(strong, desired_hinted{!key.empty()});
  });
  if (hints)
    self->state.hints = std::move(*hints);
  else
    spdlog::warn("no hints of desired state, it is only read now and then: {}",
                 hints.error().message);
  if (self->state.commands) {
    auto serving = c.link->serve(c.id, [me](store_command command) {
      if (auto strong = caf::actor_cast<root_actor>(me))
        caf::anon_send(strong, command_received{std::move(command)});
    });
    if (serving)
      self->state.serving = std::move(*serving);
    else
      spdlog::warn("commands are not served: {}", serving.error().message);
  }
  c.link->watch_connection([me](bool connected, std::string detail) {
    if (auto strong = caf::actor_cast<root_actor>(me))
      caf::anon_send(strong, connection_changed{connected, std::move(detail)});
  });
}

/// How the agent's memory on the device fares.
condition state_condition(const outcome<void>& health, timestamp now) {
  if (health)
    return {"StateDegraded", condition_state::false_, "Durable", "state is kept on disk again",
            now};
  return {"StateDegraded", condition_state::true_, std::string{reason_of(health.error().code)},
          health.error().message
            + "; what runs goes on, and nothing is created that cannot be recorded",
          now};
}

/// Lets the state's writers reach the root, and tells how their writes fare.
void follow_state(self_pointer self, const agent_config& c) {
  const auto me = caf::actor_cast<caf::weak_actor_ptr>(self);
  c.state->watch_health([me, clock = c.wall_clock](const outcome<void>& health) {
    if (auto strong = caf::actor_cast<root_actor>(me))
      caf::anon_send(strong, condition_changed{state_condition(health, clock())});
  });
}

/// How the audit log fares.
condition audit_condition(const audit_health& health, timestamp now) {
  const auto lost =
    health.lost == 0 ? "" : "; " + std::to_string(health.lost) + " events were lost";
  if (health.writing)
    return {"AuditDegraded", condition_state::false_, "Durable",
            "the audit log is kept on disk again" + lost, now};
  return {"AuditDegraded", condition_state::true_,
          std::string{reason_of(health.writing.error().code)},
          health.writing.error().message + "; " + std::to_string(health.waiting)
            + " events wait in memory" + lost,
          now};
}

void follow_audit(self_pointer self, const agent_config& c) {
  if (c.audit == nullptr)
    return;
  const auto me = caf::actor_cast<caf::weak_actor_ptr>(self);
  c.audit->watch_health([me, clock = c.wall_clock](const audit_health& health) {
    if (auto strong = caf::actor_cast<root_actor>(me))
      caf::anon_send(strong, condition_changed{audit_condition(health, clock())});
  });
}

// --- shutdown
// -------------------------------------------------------------------------------------

template <class... Handles>
std::vector<caf::strong_actor_ptr> stage(const Handles&... handles) {
  return {caf::actor_cast<caf::strong_actor_ptr>(handles)...};
}

template <class Handle>
std::vector<caf::strong_actor_ptr> stage(const std::vector<Handle>& handles) {
  std::vector<caf::strong_actor_ptr> result;
  result.reserve(handles.size());
  for (const auto& each : handles)
    result.push_back(caf::actor_cast<caf::strong_actor_ptr>(each));
  return result;
}

void next_stage(self_pointer self) {
  auto& s = self->state;
  s.waiting.clear();
  while (!s.stages.empty() && s.waiting.empty()) {
    for (const auto& each : s.stages.back()) {
      self->monitor(each);
      caf::anon_send(caf::actor_cast<caf::actor>(each), stop_requested{});
      s.waiting.push_back(caf::actor_cast<caf::actor_addr>(each));
    }
    s.stages.pop_back();
  }
  if (s.waiting.empty()) {
    self->quit();
    return;
  }
  self->delayed_send(self, s.stage_grace, timer_due{++s.timer_epoch});
}

void on_down(self_pointer self, const caf::actor_addr& who) {
  auto& s = self->state;
  std::erase(s.waiting, who);
  if (s.stopping && s.waiting.empty())
    next_stage(self);
}

void stop(self_pointer self) {
  auto& s = self->state;
  if (std::exchange(s.stopping, true))
    return;
  s.hints.reset();
  s.serving.reset();
  s.stages = {stage(s.heartbeat),  stage(s.aggregator), stage(s.lanes),
              stage(s.dispatcher), stage(s.observers),  stage(s.watcher)};
  if (s.commands)
    s.stages.push_back(stage(s.commands));
  s.stage_grace /= static_cast<duration::rep>(s.stages.size());
  next_stage(self);
}

} // namespace

root_actor::behavior_type root(self_pointer self, const agent_config& config) {
  self->state.stage_grace = config.grace;
  spawn_reporting(self, config);
  auto services = spawn_converging(self, config);
  spawn_watcher(self, config);
  spawn_command_server(self, config, std::move(services));
  follow_store(self, config);
  follow_state(self, config);
  follow_audit(self, config);
  self->set_down_handler([self](caf::down_msg& what) { on_down(self, what.source); });
  return {
    [self](const roll_call& call) {
      const auto& s = self->state;
      ++*call.present;
      self->send(s.dispatcher, call);
      self->send(s.watcher, call);
      self->send(s.aggregator, call);
      self->send(s.heartbeat, call);
      if (s.commands)
        self->send(s.commands, call);
      else
        ++*call.present;
    },
    [self](const connection_changed& what) {
      const auto& s = self->state;
      spdlog::info("store is {}{}{}", what.connected ? "connected" : "not connected",
                   what.detail.empty() ? "" : ": ", what.detail);
      self->send(s.heartbeat, what);
      self->send(s.watcher, what);
      self->send(s.aggregator, what);
    },
    [self](desired_hinted what) { self->send(self->state.watcher, what); },
    [self](command_received& what) { self->send(self->state.commands, std::move(what)); },
    [self](const interval_changed& what) { self->send(self->state.heartbeat, what); },
    [self](const condition_changed& what) { self->send(self->state.aggregator, what); },
    [self](stop_requested) { stop(self); },
    [self](timer_due t) {
      if (t.epoch == self->state.timer_epoch && self->state.stopping) {
        spdlog::warn("shutdown goes on without {} that did not end in time",
                     self->state.waiting.size());
        next_stage(self);
      }
    },
  };
}

} // namespace harmony

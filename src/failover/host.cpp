#include "failover/host.hpp"

#include <thread>
#include <utility>
#include <vector>

#include "failover/translate.hpp"

namespace harmony::failover {

namespace {

/// For an orderly end: a stop of PostgreSQL, and the store's answer.
constexpr duration end_patience = std::chrono::seconds{20};

member_view view_of(const node& n) {
  const auto seen = n.look();
  auto v = view_of(seen.state, seen.settings, boottime_now());
  v.trouble = seen.trouble;
  return v;
}

/// The caller's patience, on the machine's clock.
instant until(const call_limits& limits) {
  const auto left = limits.deadline - std::chrono::steady_clock::now();
  return boottime_now() + std::min<duration>(left, std::chrono::minutes{10});
}

} // namespace

/// Of one cluster. Its own mutex is held while it starts and ends, which takes time.
struct host::member {
  std::mutex working; // held by run and end

  std::mutex mutex; // guards the two below
  std::optional<postgres_cluster_spec> spec;
  std::shared_ptr<failover::node> node;

  // Touched by run and end alone.
  bool ending = false; ///< its node was told to end, and does nothing else any more
  postgres_endpoint endpoint;
  std::unique_ptr<health_server> health;

  std::shared_ptr<failover::node> running() {
    const std::lock_guard guard{mutex};
    return node;
  }
};

host::host(host_parts parts) : parts_(std::move(parts)) {}

host::~host() {
  const auto until = boottime_now() + end_patience;
  std::vector<std::thread> ends;
  for (auto& [name, m] : members_)
    if (m->node)
      ends.emplace_back([&m = *m, until] { m.node->hand_over(until); });
  for (auto& each : ends)
    each.join();
  for (auto& [name, m] : members_)
    if (m->node)
      m->node->close(); // whoever still looks at it
}

void host::on_change(std::function<void(const std::string&)> sink) {
  const std::lock_guard guard{sink_mutex_};
  sink_ = std::move(sink);
}

memory_file host::memory_of(const std::string& cluster) const {
  return memory_file{parts_.state_dir + "/failover-" + cluster + ".json"};
}

std::shared_ptr<host::member> host::find(const std::string& cluster) {
  const std::lock_guard guard{mutex_};
  const auto at = members_.find(cluster);
  return at == members_.end() ? nullptr : at->second;
}

std::shared_ptr<host::member> host::find_or_add(const std::string& cluster) {
  const std::lock_guard guard{mutex_};
  auto& m = members_[cluster];
  if (!m)
    m = std::make_shared<member>();
  return m;
}

outcome<cluster_look> host::look(const std::string& cluster) {
  cluster_look found;
  const auto m = find(cluster);
  if (!m)
    return found;
  std::shared_ptr<node> running;
  {
    const std::lock_guard guard{m->mutex};
    found.runs = m->spec;
    running = m->node;
  }
  if (!running)
    return found;
  const auto v = view_of(*running);
  found.well = v.well;
  found.role = v.role;
  found.detail = sentence(v);
  return found;
}

outcome<void> host::prepare(const postgres_cluster_spec& spec, const call_limits& limits) {
  if (auto safe = check_timings(spec); !safe)
    return safe;
  // A member that has known a record has belonged to a cluster: it is never made anew.
  const auto kept = memory_of(spec.cluster).load();
  if (!kept)
    return kept.error();
  auto how = spec;
  how.bootstrap = spec.bootstrap && !kept->newest;
  return parts_.prepare(how, settings_for(spec), limits);
}

outcome<void> host::run(const postgres_cluster_spec& spec, const call_limits& /*limits*/) {
  if (auto safe = check_timings(spec); !safe)
    return safe;
  const auto m = find_or_add(spec.cluster);
  const std::lock_guard working{m->working};
  if (m->spec == spec && !m->ending)
    return {};
  if (m->spec && !m->ending && same_but_for_conduct(*m->spec, spec)) {
    m->node->reconfigure(config_of(spec));
    const std::lock_guard guard{m->mutex};
    m->spec = spec;
    return {};
  }
  if (auto served = serve(m, spec.endpoint); !served)
    return served;
  return start(*m, spec);
}

outcome<void> host::serve(const std::shared_ptr<member>& m, const postgres_endpoint& at) {
  if (m->health && m->endpoint == at)
    return {};
  m->health.reset();
  if (at.port == 0)
    return {};
  auto server = health_server::start(at.address, at.port, [whose = std::weak_ptr{m}] {
    const auto mine = whose.lock();
    const auto running = mine ? mine->running() : nullptr;
    return running ? view_of(*running) : member_view{};
  });
  if (!server)
    return server.error();
  m->health = std::move(*server);
  m->endpoint = at;
  return {};
}

member_settings host::settings_for(const postgres_cluster_spec& spec) const {
  auto s = settings_of(spec, parts_.guard_dir);
  s.launcher = parts_.launcher;
  return s;
}

/// One that runs ends first, around its PostgreSQL: the new one goes on with its lease.
outcome<void> host::start(member& m, const postgres_cluster_spec& spec) {
  std::shared_ptr<node> former;
  {
    const std::lock_guard guard{m.mutex};
    former = std::exchange(m.node, nullptr);
    m.spec.reset();
  }
  m.ending = false;
  if (former)
    former->close(); // before its memory is read; somebody may be looking at it still

  const auto memories = memory_of(spec.cluster);
  auto kept = memories.load();
  if (!kept)
    return kept.error();
  const auto settings = settings_for(spec);
  node_parts p;
  auto store = parts_.store(settings);
  if (!store)
    return store.error();
  p.store = std::move(*store);
  p.postgres = parts_.postgres(settings);
  p.kept = std::move(*kept);
  p.remember = [memories](const memory& what) { return memories.save(what); };
  p.audit = [this, name = spec.cluster](const fx::audit& a) { parts_.audit(name, a); };
  p.alarm = [this, name = spec.cluster](const std::string& message) {
    parts_.alarm(name, message);
  };
  p.changed = [this, name = spec.cluster] {
    const std::lock_guard guard{sink_mutex_};
    if (sink_)
      sink_(name);
  };
  const std::lock_guard guard{m.mutex};
  m.node = std::make_shared<node>(config_of(spec), std::move(p));
  m.spec = spec;
  return {};
}

outcome<void> host::end(const std::string& cluster, const call_limits& limits) {
  const auto m = find(cluster);
  if (!m)
    return {};
  const std::lock_guard working{m->working};
  if (m->node) {
    m->ending = true;
    if (auto done = m->node->stop(until(limits)); !done)
      return done;
    m->node->close();
  }
  m->health.reset();
  m->ending = false;
  const std::lock_guard guard{m->mutex};
  m->node.reset();
  m->spec.reset();
  return {};
}

} // namespace harmony::failover

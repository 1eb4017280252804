#include "unit/core/failover/rig.hpp"

#include <algorithm>
#include <array>

namespace harmony::failover::test {

using namespace std::chrono_literals;

namespace {

constexpr duration tick = 100ms;

template <class... F>
struct overloaded : F... {
  using F::operator()...;
};
template <class... F>
overloaded(F...) -> overloaded<F...>;

std::string state_name(lease_state s) {
  constexpr std::array<const char*, 3> names{"promoting", "held", "released"};
  return names[static_cast<std::size_t>(s)];
}

} // namespace

rig::rig() {
  settings.node = "b";
  settings.incarnation = "b-1";
  settings.members = {"a", "b", "c"};
}

std::string name_of(const action& a) {
  return std::visit(
    overloaded{[](const fx::remember&) { return std::string{}; },
               [](const fx::wake&) { return std::string{}; },
               [](const fx::publish_heartbeat&) { return std::string{}; },
               [](const fx::audit&) { return std::string{}; },
               [](const fx::cas& c) {
                 return "CAS " + state_name(c.record.state) + (c.record.paused ? " paused" : "");
               },
               [](const fx::read&) { return std::string{"read"}; },
               [](const fx::arm_guard&) { return std::string{"arm guard"}; },
               [](const fx::disarm_guard&) { return std::string{"disarm guard"}; },
               [](const fx::start_standby&) { return std::string{"start standby"}; },
               [](const fx::start_primary&) { return std::string{"start primary"}; },
               [](const fx::promote&) { return std::string{"promote"}; },
               [](const fx::stop_fast&) { return std::string{"stop"}; },
               [](const fx::follow& f) {
                 return f.upstream.empty() ? std::string{"end walreceiver"}
                                           : "follow " + f.upstream;
               },
               [](const fx::rewind& r) { return "rewind from " + r.source; },
               [](const fx::reclone& r) { return "clone from " + r.source; },
               [](const fx::set_sync_names&) { return std::string{"set sync names"}; },
               [](const fx::checkpoint&) { return std::string{"checkpoint"}; },
               [](const fx::publish_history&) { return std::string{"publish history"}; },
               [](const fx::consume&) { return std::string{"consume"}; },
               [](const fx::alarm&) { return std::string{"alarm"}; }},
    a);
}

std::string rig::text() const {
  std::string out{word_of(state.at)};
  std::string what;
  for (const auto& a : actions)
    if (const auto name = name_of(a); !name.empty())
      what += (what.empty() ? "" : ", ") + name;
  return out + (what.empty() ? "" : ": ") + what;
}

std::string rig::on(const event& e) {
  auto r = step(state, e, now, settings);
  state = std::move(r.state);
  actions = std::move(r.actions);
  if (answers && state.request && state.request->kind == request_kind::read) {
    auto so_far = std::move(actions);
    auto again =
      step(state, ev::record_read{state.request->number, sequence, record}, now, settings);
    state = std::move(again.state);
    actions = std::move(so_far);
    if (!state.lease) // a look at the record, and nothing new
      actions.erase(
        std::remove_if(actions.begin(), actions.end(),
                       [](const action& a) { return std::holds_alternative<fx::read>(a); }),
        actions.end());
    actions.insert(actions.end(), again.actions.begin(), again.actions.end());
  }
  return text();
}

std::string rig::wait(duration d) {
  std::string last;
  for (const auto end = now + d; now < end;) {
    now += tick;
    last = on(ev::tick{});
  }
  return last;
}

std::string rig::holds(lease_record r) {
  record = std::move(r);
  ++sequence;
  return on(ev::record_seen{state.connection, sequence, record});
}

std::string rig::sees(postgres is) {
  is.after = state.operation.number;
  pg = is;
  return on(ev::observed{is});
}

std::string rig::done(bool ok) {
  return on(ev::operation_done{state.operation.number, ok, ok ? "" : "it failed"});
}

std::string rig::acknowledged() {
  record = state.request->record;
  return on(ev::cas_done{state.request->number, ++sequence});
}

std::string rig::beat(member_heartbeat b) {
  return on(ev::heartbeat{state.connection, std::move(b)});
}

std::string rig::guarded(bool healthy) {
  const auto deadline =
    state.lease ? std::optional{state.lease->sent + settings.periods.lease} : std::nullopt;
  return on(ev::guard{healthy, deadline});
}

lease_record record_of_a() {
  lease_record r;
  r.epoch = 5;
  r.holder = r.primary = "a";
  r.incarnation = "a-1";
  r.nonce = 1;
  r.state = lease_state::held;
  r.lease_ms = 3000;
  r.system_id = 42;
  r.timeline = r.reserved = 1;
  r.flush_lsn = 1000;
  return r;
}

postgres streaming() {
  postgres pg;
  pg.running = pg.in_recovery = pg.receives = true;
  pg.system_id = 42;
  pg.timeline = pg.checkpoint_timeline = 1;
  pg.received = pg.replayed = 1000;
  pg.upstream = "a";
  return pg;
}

postgres alone() {
  auto pg = streaming();
  pg.receives = false;
  pg.upstream.clear();
  return pg;
}

postgres primary() {
  auto pg = alone();
  pg.in_recovery = false;
  pg.timeline = 2;
  pg.history = {{1, 1000}};
  pg.flushed = 1000;
  return pg;
}

postgres stopped() {
  auto pg = primary();
  pg.running = false;
  return pg;
}

member_heartbeat beat_of(const std::string& node, std::uint64_t n) {
  member_heartbeat b;
  b.node = node;
  b.incarnation = node + "-1";
  b.beat = n;
  b.role = member_role::standby;
  b.epoch = 5;
  b.system_id = 42;
  b.timeline = b.checkpoint_timeline = 1;
  b.received = b.replayed = 1000;
  b.electable = true;
  b.priority = 1;
  return b;
}

rig connected() {
  rig m;
  m.record = record_of_a();
  m.sequence = 7;
  m.on(ev::guard{true, {}});
  m.on(ev::connected{1, "s"});
  return m;
}

rig follower() {
  auto m = connected();
  m.sees(streaming());
  return m;
}

rig freezer() {
  auto m = follower();
  m.wait(3500ms);
  return m;
}

rig elector() {
  auto m = freezer();
  m.beat(beat_of("c", 1));
  m.beat(beat_of("c", 2)); // alive, and has not reported
  m.done();
  m.sees(alone());
  return m;
}

rig claimer() {
  auto m = freezer();
  m.done();
  m.sees(alone());
  return m;
}

rig promoter() {
  auto m = claimer();
  m.acknowledged();
  m.guarded();
  return m;
}

rig holder() {
  auto m = promoter();
  m.done();
  m.sees(primary());
  m.acknowledged();
  auto pg = primary();
  pg.checkpoint_timeline = 2;
  m.sees(pg);
  return m;
}

} // namespace harmony::failover::test

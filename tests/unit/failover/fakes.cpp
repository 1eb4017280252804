#include "unit/failover/fakes.hpp"

#include <algorithm>

namespace harmony::failover::test {

using namespace std::chrono_literals;

void shared_store::join(const std::string& node, event_sink sink) {
  const std::lock_guard guard{mutex_};
  const auto number = ++connections_;
  sink(ev::connected{number, "the only server"});
  sink(ev::record_seen{number, sequence_, record_});
  for (const auto& [id, order] : orders_)
    sink(ev::command{order});
  there_[node] = {number, std::move(sink)};
}

void shared_store::leave(const std::string& node) {
  const std::lock_guard guard{mutex_};
  there_.erase(node);
}

event shared_store::cas(const fx::cas& what) {
  const std::lock_guard guard{mutex_};
  if (what.expected != sequence_)
    return ev::cas_wrong_sequence{what.request};
  record_ = what.record;
  ++sequence_;
  for (const auto& [node, at] : there_)
    at.second(ev::record_seen{at.first, sequence_, record_});
  return ev::cas_done{what.request, sequence_};
}

event shared_store::read(const fx::read& what) {
  const std::lock_guard guard{mutex_};
  return ev::record_read{what.request, sequence_, record_};
}

void shared_store::publish(const member_heartbeat& beat) {
  const std::lock_guard guard{mutex_};
  for (const auto& [node, at] : there_)
    at.second(ev::heartbeat{at.first, beat});
}

void shared_store::record(const history_entry& entry) {
  const std::lock_guard guard{mutex_};
  history_.push_back(entry);
}

void shared_store::order(const cluster_command& what) {
  const std::lock_guard guard{mutex_};
  orders_[what.id] = what;
  for (const auto& [node, at] : there_)
    at.second(ev::command{what});
}

void shared_store::consume(const std::string& id) {
  const std::lock_guard guard{mutex_};
  orders_.erase(id);
  for (const auto& [node, at] : there_)
    at.second(ev::command_gone{id});
}

std::optional<lease_record> shared_store::lease() const {
  const std::lock_guard guard{mutex_};
  return record_;
}

std::size_t shared_store::pages() const {
  const std::lock_guard guard{mutex_};
  return history_.size();
}

bool shared_store::empty_of_orders() const {
  const std::lock_guard guard{mutex_};
  return orders_.empty();
}

void fake_store::open(event_sink sink) {
  sink_ = sink;
  shared_->join(node_, std::move(sink));
}

fake_postgres::fake_postgres() {
  is_.system_id = 42;
  is_.timeline = is_.checkpoint_timeline = 1;
  is_.received = is_.replayed = is_.flushed = 1000;
}

void fake_postgres::open(event_sink sink) {
  const std::lock_guard guard{mutex_};
  sink_ = std::move(sink);
  tell_guard();
  sink_(ev::observed{is_});
}

void fake_postgres::close() {
  const std::lock_guard guard{mutex_};
  sink_ = nullptr;
}

void fake_postgres::tell_guard() {
  sink_(guard_);
}

void fake_postgres::carry_out(const pg_order& what) {
  const std::lock_guard guard{mutex_};
  const auto began = [&](const char* name) { orders_.emplace_back(name); };
  std::uint64_t operation = 0;
  if (const auto* start = std::get_if<fx::start_standby>(&what)) {
    began("start standby");
    is_.running = is_.in_recovery = true;
    is_.upstream = start->upstream;
    operation = start->operation;
  } else if (const auto* first = std::get_if<fx::start_primary>(&what)) {
    began("start primary");
    is_.running = true;
    is_.in_recovery = false;
    operation = first->operation;
  } else if (const auto* promoted = std::get_if<fx::promote>(&what)) {
    began("promote");
    is_.in_recovery = false;
    is_.history.push_back({is_.timeline, is_.received});
    is_.timeline = is_.checkpoint_timeline = promoted->timeline;
    operation = promoted->operation;
  } else if (const auto* stop = std::get_if<fx::stop_fast>(&what)) {
    began("stop");
    is_.running = false;
    operation = stop->operation;
  } else if (const auto* follow = std::get_if<fx::follow>(&what)) {
    began("follow");
    is_.upstream = follow->upstream;
    operation = follow->operation;
  } else if (const auto* names = std::get_if<fx::set_sync_names>(&what)) {
    began("names");
    is_.names = names->names;
    operation = names->operation;
  } else {
    began("other");
  }
  if (!sink_ || hangs_)
    return;
  is_.after = std::max(is_.after, operation);
  sink_(ev::operation_done{operation, true, {}});
  sink_(ev::observed{is_});
}

void fake_postgres::arm(const fx::arm_guard& what) {
  const std::lock_guard guard{mutex_};
  guard_.deadline = what.deadline;
  guard_.epoch = what.epoch;
  if (sink_)
    tell_guard();
}

void fake_postgres::disarm(std::function<void(bool)> done) {
  {
    const std::lock_guard guard{mutex_};
    if (!keeps_deadline_)
      guard_.deadline.reset();
    if (sink_)
      tell_guard();
  }
  done(!keeps_deadline_);
}

ev::guard fake_postgres::guard() const {
  const std::lock_guard guard{mutex_};
  return guard_;
}

void fake_postgres::armed_before(instant deadline, std::uint64_t epoch) {
  const std::lock_guard guard{mutex_};
  guard_ = {true, deadline, epoch};
  is_.running = true;
  is_.in_recovery = false;
}

postgres fake_postgres::state() const {
  const std::lock_guard guard{mutex_};
  return is_;
}

std::vector<std::string> fake_postgres::orders() const {
  const std::lock_guard guard{mutex_};
  return orders_;
}

timings short_periods() {
  timings t;
  t.lease = 1500ms;
  t.kill = 100ms;
  t.stop = 200ms;
  t.window = 1700ms;
  t.renew = 50ms;
  t.request = 400ms;
  return t;
}

config config_of(const std::string& name) {
  config c;
  c.node = name;
  c.members = {"a", "b", "c"};
  c.periods = short_periods();
  c.may_create = name == "a";
  return c;
}

std::unique_ptr<node> bench::start(const std::string& name, memory before) {
  node_parts p;
  p.store = std::make_shared<fake_store>(store, name);
  p.postgres = postgres;
  p.kept = std::move(before);
  p.remember = [this](const memory& what) -> outcome<void> {
    while (disk_hangs)
      std::this_thread::sleep_for(1ms);
    if (disk_full)
      return failure{ec::disk_full, "the disk is full"};
    const std::lock_guard guard{mutex};
    kept = what;
    return {};
  };
  p.audit = [this](const fx::audit& a) {
    const std::lock_guard guard{mutex};
    audits.push_back(a.what);
  };
  p.alarm = [this](const std::string& message) {
    const std::lock_guard guard{mutex};
    alarms.push_back(message);
  };
  return std::make_unique<node>(config_of(name), std::move(p));
}

bool bench::heard(const std::string& audit) {
  const std::lock_guard guard{mutex};
  return std::find(audits.begin(), audits.end(), audit) != audits.end();
}

} // namespace harmony::failover::test

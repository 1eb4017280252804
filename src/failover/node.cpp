#include "failover/node.hpp"

#include <algorithm>
#include <limits>
#include <random>
#include <utility>

namespace harmony::failover {

using namespace std::chrono_literals;

namespace {

/// For the guard's first word: without it, it is not known whether an earlier life still holds the
/// lease.
constexpr duration guard_patience = 1s;

/// Nobody else, and no earlier life of this member, has drawn it.
std::string draw_incarnation(const std::string& node) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::random_device dice;
  std::string drawn = node + "-";
  for (int i = 0; i < 12; ++i)
    drawn += digits[dice() % digits.size()];
  return drawn;
}

/// Between two attempts to remember something.
constexpr duration write_pace = 1s;

/// Of the stop of a node that ends; its machine counts to no such number.
constexpr std::uint64_t last_operation = std::numeric_limits<std::uint64_t>::max();

/// What depends on nothing that is being remembered, or that the guard is being asked, and what a
/// healthy primary lives by. A claim (the first write of an epoch), a release and a frozen report
/// do depend on it.
bool overtakes(const action& a) {
  if (const auto* cas = std::get_if<fx::cas>(&a))
    return cas->record.nonce > 1 && cas->record.state != lease_state::released;
  if (const auto* beat = std::get_if<fx::publish_heartbeat>(&a))
    return !beat->beat.frozen;
  return std::holds_alternative<fx::arm_guard>(a) || std::holds_alternative<fx::read>(a)
         || std::holds_alternative<fx::stop_fast>(a);
}

template <class... F>
struct overloaded : F... {
  using F::operator()...;
};
template <class... F>
overloaded(F...) -> overloaded<F...>;

} // namespace

node::node(config c, node_parts parts) : parts_(std::move(parts)), config_(std::move(c)) {
  if (config_.incarnation.empty())
    config_.incarnation = draw_incarnation(config_.node);
  writer_ = std::thread{[this] { write(); }};
  thread_ = std::thread{[this] { run(); }};
}

node::~node() {
  close();
}

void node::close() {
  const std::lock_guard guard{closing_};
  mail_->close();
  if (thread_.joinable())
    thread_.join();
}

node::snapshot node::look() const {
  const std::lock_guard guard{mutex_};
  return {machine_, config_, parts_.postgres->trouble()};
}

void node::reconfigure(const config& c) {
  mail_->put(c);
}

bool node::wait(instant until, const std::function<bool(const machine&)>& for_what) const {
  std::unique_lock lock{mutex_};
  while (!for_what(machine_)) {
    const auto now = boottime_now();
    if (now >= until)
      return false;
    stepped_.wait_for(lock, std::min<duration>(until - now, 100ms)); // its clock may stand still
  }
  return true;
}

bool node::hand_over(instant until) {
  mail_->put(event{ev::shutdown{}});
  return wait(until, [](const machine& m) {
    return m.shutting_down && !m.lease && m.at != phase::demoting && m.at != phase::claiming;
  });
}

outcome<void> node::stop(instant until) {
  const failure late{ec::timed_out,
                     "PostgreSQL of member '" + config_.node + "' did not stop in time"};
  if (!hand_over(until))
    return late;
  mail_->put(last_stop{});
  return wait(until, [this](const machine&) { return stopped_; }) ? outcome<void>{} : late;
}

void node::run() {
  begin();
  instant wake = boottime_now();
  for (;;) {
    auto next = mail_->take(wake);
    if (!next && mail_->closed())
      break;
    event e = ev::tick{};
    if (next)
      std::visit(overloaded{[&](event& what) { e = std::move(what); },
                            [&](config& c) { adopt(std::move(c)); },
                            [&](const disarmed& d) { guard_answered(d.ok); },
                            [&](const written& w) { disk_answered(w.why_not); },
                            [&](const last_stop&) {
                              parts_.postgres->carry_out(fx::stop_fast{last_operation});
                            }},
                 *next);
    take(e);
    wake = machine_.wake_at;
  }
  parts_.store->close();
  parts_.postgres->close();
  to_write_->close();
  writer_.join();
}

/// A disk may hang: renewals do not wait for it.
void node::write() {
  while (const auto what = to_write_->take(instant::max())) {
    auto done = parts_.remember(*what);
    mail_->put(written{done ? std::nullopt : std::optional{done.error()}});
  }
}

/// The guard outlives agents: where it still holds a deadline for this member's claim, that claim
/// goes on.
void node::begin() {
  parts_.postgres->open([mail = mail_](event e) { mail->put(std::move(e)); });
  const auto until = boottime_now() + guard_patience;
  std::vector<event> early;
  std::optional<ev::guard> word;
  while (!word) {
    auto next = mail_->take(until);
    if (!next)
      break;
    if (const auto* c = std::get_if<config>(&*next)) {
      adopt(*c);
      continue;
    }
    auto& e = std::get<event>(*next);
    if (const auto* guard = std::get_if<ev::guard>(&e))
      word = *guard;
    early.push_back(std::move(e));
  }
  resume_or_begin(word);
  for (const auto& e : early)
    take(e);
  parts_.store->open([mail = mail_](event e) { mail->put(std::move(e)); });
}

void node::resume_or_begin(const std::optional<ev::guard>& word) {
  const auto& newest = parts_.kept.newest;
  const std::lock_guard guard{mutex_};
  const bool goes_on = word && word->healthy && word->deadline && boottime_now() < *word->deadline
                       && newest && newest->holder == config_.node && newest->epoch == word->epoch;
  if (!goes_on) {
    machine_ = failover::begin(parts_.kept);
    return;
  }
  config_.incarnation = newest->incarnation;
  machine_ = failover::resume(parts_.kept, *newest, *word->deadline, boottime_now());
}

void node::adopt(config c) {
  const std::lock_guard guard{mutex_};
  c.incarnation = config_.incarnation;
  config_ = std::move(c);
}

void node::take(const event& e) {
  const auto now = boottime_now();
  std::vector<action> actions;
  member_view seen;
  {
    const std::lock_guard guard{mutex_};
    auto result = step(std::move(machine_), e, now, config_);
    machine_ = std::move(result.state);
    actions = std::move(result.actions);
    seen = view_of(machine_, config_, now);
    const auto* over = std::get_if<ev::operation_done>(&e);
    stopped_ = stopped_ || (over != nullptr && over->operation == last_operation && over->ok);
  }
  stepped_.notify_all();
  for (auto& each : actions)
    if (overtakes(each))
      perform(each);
    else
      outbox_.push_back(std::move(each));
  work_off();
  seen.trouble = parts_.postgres->trouble();
  tell(seen);
}

void node::tell(const member_view& seen) {
  auto said = sentence(seen);
  if (said == said_ && seen.well == well_)
    return;
  said_ = std::move(said);
  well_ = seen.well;
  if (parts_.changed)
    parts_.changed();
}

void node::work_off() {
  while (!outbox_.empty() && !waits_) {
    const auto next = std::move(outbox_.front());
    outbox_.pop_front();
    carry_out(next);
  }
}

void node::carry_out(const action& a) {
  if (const auto* what = std::get_if<fx::remember>(&a)) {
    unwritten_ = what->what;
    remember();
  } else if (!unwritten_) {
    perform(a);
  } else if (boottime_now() >= write_again_) {
    outbox_.push_front(a);
    remember();
  } else {
    refuse(a, "what this member must remember cannot be written");
  }
}

void node::remember() {
  waits_ = true;
  to_write_->put(*unwritten_);
}

void node::disk_answered(const std::optional<failure>& why_not) {
  waits_ = false;
  if (!why_not) {
    unwritten_.reset();
    return;
  }
  write_again_ = boottime_now() + write_pace;
  parts_.alarm(why_not->message);
}

/// A deadline that could not be taken away might be gone on with: nothing is given away by then.
void node::guard_answered(bool ok) {
  waits_ = false;
  if (ok)
    return;
  for (const auto& a : std::exchange(outbox_, {}))
    if (const auto* what = std::get_if<fx::remember>(&a))
      unwritten_ = what->what;
    else
      refuse(a, "the guard keeps its deadline");
}

/// What must not be done before something else was has failed; the rest is done.
void node::refuse(const action& a, const std::string& why) {
  const auto operation_failed = [&](const auto& what) {
    mail_->put(event{ev::operation_done{what.operation, false, why}});
  };
  std::visit(
    overloaded{[&](const fx::cas& what) { mail_->put(event{ev::request_failed{what.request}}); },
               [&](const fx::publish_heartbeat&) {}, // as without a connection
               [&](const fx::start_primary& what) { operation_failed(what); },
               [&](const fx::promote& what) { operation_failed(what); },
               [&](const fx::rewind& what) { operation_failed(what); },
               [&](const fx::reclone& what) { operation_failed(what); },
               [&](const auto&) { perform(a); }},
    a);
}

void node::perform(const action& a) {
  std::visit(
    overloaded{[&](const fx::remember&) {}, [&](const fx::wake&) {}, // read from the machine
               [&](const fx::cas& what) { parts_.store->cas(what); },
               [&](const fx::read& what) { parts_.store->read(what); },
               [&](const fx::publish_heartbeat& what) { parts_.store->publish(what.beat); },
               [&](const fx::publish_history& what) { parts_.store->publish(what.entry); },
               [&](const fx::consume& what) { parts_.store->consume(what.command); },
               [&](const fx::arm_guard& what) { parts_.postgres->arm(what); },
               [&](const fx::disarm_guard&) {
                 waits_ = true;
                 parts_.postgres->disarm([mail = mail_](bool ok) { mail->put(disarmed{ok}); });
               },
               [&](const fx::audit& what) { parts_.audit(what); },
               [&](const fx::alarm& what) { parts_.alarm(what.message); },
               [&](const auto& order) { parts_.postgres->carry_out(order); }},
    a);
}

} // namespace harmony::failover

#include "failover/node.hpp"

#include <algorithm>
#include <iterator>
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
  thread_ = std::thread{[this] { run(); }};
}

node::~node() {
  mail_->close();
  thread_.join();
}

node::snapshot node::look() const {
  const std::lock_guard guard{mutex_};
  return {machine_, config_};
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
  parts_.postgres->carry_out(fx::stop_fast{});
  const bool stopped = wait(until, [](const machine& m) { return m.pg && !m.pg->running; });
  return stopped ? outcome<void>{} : late;
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
                            [&](const disarmed& d) { guard_answered(d.ok); }},
                 *next);
    take(e);
    wake = machine_.wake_at;
  }
  parts_.store->close();
  parts_.postgres->close();
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
  machine_ = failover::resume(parts_.kept, *newest, *word->deadline, boottime_now(), config_);
}

void node::adopt(config c) {
  const std::lock_guard guard{mutex_};
  c.incarnation = config_.incarnation;
  config_ = std::move(c);
}

void node::take(const event& e) {
  const auto now = boottime_now();
  member_view seen;
  {
    const std::lock_guard guard{mutex_};
    auto result = step(std::move(machine_), e, now, config_);
    machine_ = std::move(result.state);
    outbox_.insert(outbox_.end(), std::make_move_iterator(result.actions.begin()),
                   std::make_move_iterator(result.actions.end()));
    seen = view_of(machine_, config_, now);
  }
  stepped_.notify_all();
  work_off();
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
  while (!outbox_.empty() && !disarming_) {
    const auto next = std::move(outbox_.front());
    outbox_.pop_front();
    carry_out(next);
  }
}

/// A deadline that could not be taken away might be gone on with: nothing is given away by then.
void node::guard_answered(bool ok) {
  disarming_ = false;
  if (ok)
    return;
  for (const auto& a : std::exchange(outbox_, {}))
    refuse(a, "the guard keeps its deadline");
}

void node::carry_out(const action& a) {
  if (const auto* what = std::get_if<fx::remember>(&a))
    unwritten_ = what->what;
  if (unwritten_) {
    if (auto done = parts_.remember(*unwritten_); done)
      unwritten_.reset();
    else
      parts_.alarm(done.error().message);
  }
  if (unwritten_)
    refuse(a, "what this member must remember cannot be written");
  else
    perform(a);
}

/// What must not be done before it is remembered why has failed; the rest is done.
void node::refuse(const action& a, const std::string& why) {
  const auto operation_failed = [&](const auto& what) {
    mail_->put(event{ev::operation_done{what.operation, false, why}});
  };
  std::visit(
    overloaded{[&](const fx::cas& what) { mail_->put(event{ev::request_failed{what.request}}); },
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
                 disarming_ = true;
                 parts_.postgres->disarm([mail = mail_](bool ok) { mail->put(disarmed{ok}); });
               },
               [&](const fx::audit& what) { parts_.audit(what); },
               [&](const fx::alarm& what) { parts_.alarm(what.message); },
               [&](const auto& order) { parts_.postgres->carry_out(order); }},
    a);
}

} // namespace harmony::failover

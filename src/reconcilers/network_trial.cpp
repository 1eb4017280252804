// Confirm or revert: what becomes of a change after which the store must be reached again.

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "fault/fault.hpp"
#include "reconcilers/network.hpp"

namespace harmony {

namespace {

using std::chrono::milliseconds;

/// Sleeps, or returns at once when `cancel` is requested.
void pause_for(milliseconds time, const std::stop_token& cancel) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock{mutex};
  never.wait_for(lock, cancel, time, [] { return false; });
}

/// The link as it was before the trial.
network_goal goal_before(const std::string& link, const network_record& record, bool same_boot) {
  const auto& trial = *record.trial;
  const auto& before = *trial.before;
  network_goal goal;
  goal.link = link;
  if (!record.kind.empty())
    goal.made = new_link{link, before.kind, before.parent, before.vlan_id};
  goal.surplus_members = without(record.own.members, trial.members);
  goal.surplus_addresses = without(record.own.addresses, address_texts(before, false));
  goal.surplus_routes = without(record.own.routes, plain_routes(before));
  if (!same_boot) {
    // A boot brought its own state: only what is the agent's is its to restore.
    goal.addresses = trial.own.addresses;
    goal.members = trial.own.members;
    for (const auto& r : trial.own.routes)
      goal.routes.push_back({r});
    return goal;
  }
  goal.up = before.up;
  goal.mtu = before.mtu;
  goal.members = trial.members;
  goal.addresses = address_texts(before, true);
  goal.routes = before.routes;
  return goal;
}

} // namespace

bool network_operations::ask(milliseconds at_most, const op_context& ctx) {
  HARMONY_FAULT_OR("network.ask", return false);
  const auto now = std::chrono::steady_clock::now();
  return commander_.reachable(std::min(ctx.deadline, now + at_most));
}

outcome<bool> network_operations::confirmed_in_time(const network_trial& trial, op_context& ctx) {
  if (trial.boot != config_.clock.boot())
    return false; // the change ended with that boot
  for (;;) {
    const auto left = trial.until - config_.clock.now();
    if (left <= milliseconds::zero())
      return false;
    if (ask(std::min(left, config_.question), ctx))
      return true;
    if (ctx.cancel.stop_requested())
      return false; // nobody would be left to undo it
    // Not `now + reserve`: a deadline may be far away, but is never near the end of time.
    if (ctx.deadline - std::chrono::steady_clock::now() < config_.reserve)
      return {ec::timed_out, "the store was not reached yet after the change; it is waited for "
                             "anew, and the change is undone when its time is over"};
    pause_for(std::min(left, config_.pause), ctx.cancel);
  }
}

outcome<void> network_operations::settle(const resource_id& id, const std::string& link,
                                         op_context& ctx) {
  const auto owned = ctx.owned.find(id, link);
  if (!owned)
    return {};
  auto record = from_note(owned->note);
  if (!record.trial)
    return {};
  const auto in_time = confirmed_in_time(*record.trial, ctx);
  if (!in_time)
    return in_time.error();
  if (*in_time) {
    record.trial.reset();
    return claim(id, link, record, ctx);
  }
  if (auto undone = undo(id, link, record, ctx); !undone)
    return undone;
  const auto& what = record.trial->what;
  if (ctx.cancel.stop_requested())
    return {ec::canceled, "interrupted before the store was reached again; undone: " + what};
  return {ec::network_reverted,
          "the store was not reached again in time after the change; undone: " + what};
}

outcome<void> network_operations::undo(const resource_id& id, const std::string& link,
                                       const network_record& record, op_context& ctx) {
  const auto& trial = *record.trial;
  if (trial.before) {
    const bool same_boot = trial.boot == config_.clock.boot();
    auto done = achieve(network_, goal_before(link, record, same_boot));
    // A link that is gone has nothing that could be undone.
    if (!done && done.error().code != ec::link_not_found)
      return {done.error().code,
              "a change that was not confirmed could not be undone: " + done.error().message};
  } else if (auto gone = network_.delete_link(link); !gone) {
    return gone;
  }
  if (!trial.recorded)
    return ctx.owned.release(id, link);
  auto before = record;
  before.own = trial.own;
  before.trial.reset();
  return claim(id, link, before, ctx);
}

} // namespace harmony

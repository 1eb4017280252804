#include "core/lane.hpp"

#include <algorithm>

namespace harmony {

bool lane_schedule::submit(ticket t, std::string key, duration limit) {
  if (!busy_.insert(key).second)
    return false;
  queue_.push_back({t, std::move(key), limit});
  return true;
}

bool lane_schedule::withdraw(ticket t) {
  const auto it = std::find_if(queue_.begin(), queue_.end(),
                               [t](const waiting_op& each) { return each.id == t; });
  if (it == queue_.end())
    return false;
  busy_.erase(it->key);
  queue_.erase(it);
  return true;
}

void lane_schedule::hurry(ticket t, instant at) {
  if (const auto it = running_.find(t); it != running_.end())
    it->second.deadline = std::min(it->second.deadline, at);
}

void lane_schedule::finished(ticket t) {
  const auto it = running_.find(t);
  if (it == running_.end())
    return;
  busy_.erase(it->second.key);
  running_.erase(it);
  stuck_in_row_ = 0;
}

lane_schedule::orders lane_schedule::tick(instant now) {
  orders result;
  for (auto& [id, op] : running_)
    if (!op.expired && op.deadline <= now) {
      op.expired = true;
      result.expired.push_back(id);
    }
  find_stuck(now);
  auto moving = active();
  while (!queue_.empty() && moving < limits_.width && running_.size() < limits_.most) {
    auto next = std::move(queue_.front());
    queue_.pop_front();
    running_.emplace(next.id, running_op{std::move(next.key), now, now + next.limit});
    result.start.push_back(next.id);
    ++moving;
  }
  result.wake = next_wake();
  return result;
}

duration lane_schedule::patience() const {
  constexpr std::size_t most_halvings = 6;
  return limits_.patience / (1 << std::min(stuck_in_row_ / limits_.width, most_halvings));
}

void lane_schedule::find_stuck(instant now) {
  for (bool found = true; found;) { // each one found may shorten the patience with the others
    found = false;
    for (auto& [id, op] : running_)
      if (!op.stuck && !op.expired && now - op.started >= patience()) {
        op.stuck = true;
        ++stuck_in_row_;
        found = true;
      }
  }
}

std::size_t lane_schedule::active() const {
  return static_cast<std::size_t>(
    std::count_if(running_.begin(), running_.end(),
                  [](const auto& each) { return !each.second.expired && !each.second.stuck; }));
}

std::optional<instant> lane_schedule::next_wake() const {
  std::optional<instant> wake;
  const auto consider = [&](instant at) {
    if (!wake || at < *wake)
      wake = at;
  };
  for (const auto& [id, op] : running_) {
    if (!op.expired)
      consider(op.deadline);
    if (!queue_.empty() && !op.expired && !op.stuck)
      consider(op.started + patience());
  }
  return wake;
}

} // namespace harmony

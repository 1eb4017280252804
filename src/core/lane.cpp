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
}

lane_schedule::orders lane_schedule::tick(instant now) {
  orders result;
  for (auto& [id, op] : running_)
    if (!op.expired && op.deadline <= now) {
      op.expired = true;
      result.expired.push_back(id);
    }
  auto moving = active(now);
  while (!queue_.empty() && moving < limits_.width && running_.size() < limits_.most) {
    auto next = std::move(queue_.front());
    queue_.pop_front();
    running_.emplace(next.id, running_op{std::move(next.key), now, now + next.limit, false});
    result.start.push_back(next.id);
    ++moving;
  }
  result.wake = next_wake(now);
  return result;
}

std::size_t lane_schedule::active(instant now) const {
  return static_cast<std::size_t>(
    std::count_if(running_.begin(), running_.end(), [&](const auto& each) {
      return !each.second.expired && now - each.second.started < limits_.patience;
    }));
}

std::optional<instant> lane_schedule::next_wake(instant now) const {
  std::optional<instant> wake;
  const auto consider = [&](instant at) {
    if (!wake || at < *wake)
      wake = at;
  };
  for (const auto& [id, op] : running_) {
    if (!op.expired)
      consider(op.deadline);
    if (!queue_.empty() && op.started + limits_.patience > now)
      consider(op.started + limits_.patience);
  }
  return wake;
}

} // namespace harmony

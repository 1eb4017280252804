#include "apps/agent/key_watch.hpp"

#include <system_error>
#include <thread>
#include <utility>

#include <spdlog/spdlog.h>

namespace harmony {

namespace {

constexpr auto keys_fact = "keys";

} // namespace

void key_watch::begin(std::shared_ptr<state_store> memory, std::shared_ptr<audit_trail> trail,
                      known_keys now, const std::set<std::string>& unseen) {
  const auto text = memory->fact(keys_fact);
  const std::lock_guard lock{mutex_};
  memory_ = std::move(memory);
  trail_ = std::move(trail);
  now_ = std::move(now);
  if (text)
    recorded_ = read_known_keys(*text);
  if (recorded_)
    for (const auto& name : unseen)
      if (const auto was = recorded_->find(name); was != recorded_->end())
        now_.insert(*was);
  wake();
}

void key_watch::uses(const std::string& name, const std::string& key) {
  const std::lock_guard lock{mutex_};
  if (!memory_)
    return;
  now_[name] = key;
  wake();
}

bool key_watch::settled() {
  const std::lock_guard lock{mutex_};
  return !running_;
}

/// Needs the lock.
void key_watch::wake() {
  if (running_ || recorded_ == now_)
    return;
  try {
    std::thread([self = shared_from_this()] { self->settle(); }).detach();
    running_ = true;
  } catch (const std::system_error& e) {
    spdlog::warn("changes of keys are not on record yet: {}", e.what());
  }
}

void key_watch::settle() {
  std::unique_lock lock{mutex_};
  while (recorded_ != now_) {
    const auto before = recorded_;
    const auto now = now_;
    lock.unlock();
    const bool kept = record(before, now);
    lock.lock();
    if (!kept)
      break;
    recorded_ = now;
  }
  running_ = false;
}

/// Needs no lock; one thread at a time is in here.
bool key_watch::record(const std::optional<known_keys>& before, const known_keys& now) {
  for (const auto& e : key_changes(before, now))
    if (const auto kept = trail_->append(e); !kept) {
      spdlog::warn("a change of '{}' is not on record yet: {}", e.subject, kept.error().message);
      return false;
    }
  if (const auto kept = memory_->save_fact(keys_fact, write_known_keys(now)); !kept)
    spdlog::warn("changes of keys are recorded again at the next start: {}", kept.error().message);
  return true;
}

} // namespace harmony

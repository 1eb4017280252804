#include "apps/agent/key_watch.hpp"

#include <utility>

#include <spdlog/spdlog.h>

namespace harmony {

namespace {

constexpr auto keys_fact = "keys";

} // namespace

void key_watch::begin(std::shared_ptr<state_store> memory, std::shared_ptr<audit_trail> trail,
                      known_keys now, const std::set<std::string>& unseen) {
  const std::lock_guard lock{mutex_};
  memory_ = std::move(memory);
  trail_ = std::move(trail);
  now_ = std::move(now);
  if (const auto text = memory_->fact(keys_fact); text)
    recorded_ = read_known_keys(*text);
  if (recorded_)
    for (const auto& name : unseen)
      if (const auto was = recorded_->find(name); was != recorded_->end())
        now_.insert(*was);
  settle();
}

void key_watch::uses(const std::string& name, const std::string& key) {
  const std::lock_guard lock{mutex_};
  if (!memory_)
    return;
  now_[name] = key;
  settle();
}

/// Needs the lock.
void key_watch::settle() {
  if (recorded_ == now_)
    return;
  for (const auto& e : key_changes(recorded_, now_))
    if (const auto kept = trail_->append(e); !kept) {
      spdlog::warn("a change of '{}' is not on record yet: {}", e.subject, kept.error().message);
      return;
    }
  recorded_ = now_;
  if (const auto kept = memory_->save_fact(keys_fact, write_known_keys(now_)); !kept)
    spdlog::warn("changes of keys are recorded again at the next start: {}", kept.error().message);
}

} // namespace harmony

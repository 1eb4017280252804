#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "core/known_keys.hpp"
#include "reconcilers/audit.hpp"
#include "state/state_store.hpp"

namespace harmony {

/// Puts on record when the keys that this device trusts, or is known by, are others than those that
/// it knew last, which the state store remembers over restarts. Thread-safe; a thread of its own,
/// while there is something to record, waits for the disk, and no caller.
///
/// A change is on record before it is remembered: who is killed in between records it twice, and
/// never not at all. What cannot be recorded is tried again at the next change or start.
class key_watch : public std::enable_shared_from_this<key_watch> {
public:
  /// Begins with what there is at the start. `unseen` are names of keys that are configured and
  /// could not be read: they are taken to be what they were.
  void begin(std::shared_ptr<state_store> memory, std::shared_ptr<audit_trail> trail,
             known_keys now, const std::set<std::string>& unseen);

  /// This one is used from now on. Before `begin` nothing comes of it.
  void uses(const std::string& name, const std::string& key);

  /// Whether nothing is being recorded.
  [[nodiscard]] bool settled();

private:
  void wake();
  void settle();
  bool record(const std::optional<known_keys>& before, const known_keys& now);

  std::mutex mutex_;
  std::shared_ptr<state_store> memory_; ///< null before `begin`, then never changed
  std::shared_ptr<audit_trail> trail_;  ///< the same
  std::optional<known_keys> recorded_;
  known_keys now_;
  bool running_ = false;
};

} // namespace harmony

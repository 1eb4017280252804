#pragma once

// The state store at work; for state_store.cpp alone.

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "state/commit_queue.hpp"
#include "state/state_database.hpp"
#include "state/state_lock.hpp"
#include "state/state_store.hpp"

namespace harmony {

/// What no two resources may own: files and folders share one space of names, every other kind has
/// its own.
inline std::string holding_of(const resource_id& owner, const std::string& target) {
  const bool path = owner.kind == "File" || owner.kind == "Directory";
  return (path ? std::string{"path"} : owner.kind) + " " + target;
}

struct opened_rows {
  state_database db;
  std::vector<owned_target> owned;
  std::vector<retry_record> retries;
  std::vector<hold_record> holds;
  bool rebuilding = false;
};

/// The fact that a database was begun in place of one that was lost.
inline const std::string rebuilding_fact = "rebuilding";

class state_store::implementation {
public:
  implementation(std::string folder, state_lock lock, opened_rows opened,
                 std::vector<state_notice> said)
    : folder_(std::move(folder)),
      lock_(std::move(lock)),
      db_(std::move(opened.db)),
      notices_(std::move(said)),
      rebuilding_(opened.rebuilding),
      queue_([this](const auto& jobs) { return commit(jobs); }) {
    for (auto& row : opened.owned)
      put(row);
    for (auto& row : opened.retries)
      retries_[row.owner] = std::move(row.counts);
    for (auto& row : opened.holds)
      holds_[row.owner] = std::move(row.hold);
  }

  outcome<void> claim(const owned_target& t) {
    if (const auto known = find(t.owner, t.target);
        known == t && !is_in_flight(holding_of(t.owner, t.target)))
      return {};
    const auto holding = holding_of(t.owner, t.target);
    const state_write job{t};
    return queue_.submit(
      job,
      [&]() -> outcome<void> {
        if (const auto holder = holder_of(holding); holder && *holder != t.owner)
          return {ec::name_conflict, "'" + t.target + "' is already managed by " + holder->str()
                                       + ": remove it there, or use another one here"};
        in_flight_.emplace(holding, t.owner);
        return {};
      },
      [&](const outcome<void>& done) {
        in_flight_.erase(in_flight_.find({holding, t.owner}));
        if (done)
          put(t);
      });
  }

  outcome<void> release(const resource_id& owner, const std::string& target) {
    const auto holding = holding_of(owner, target);
    if (!find(owner, target) && !is_in_flight(holding))
      return {};
    const state_write job{release_record{owner, target}};
    return queue_.submit(
      job,
      [&]() -> outcome<void> {
        in_flight_.emplace(holding, owner);
        return {};
      },
      [&](const outcome<void>& done) {
        in_flight_.erase(in_flight_.find({holding, owner}));
        if (done)
          drop(owner, target);
      });
  }

  outcome<void> save_accepted(accepted_manifest m) {
    return write({std::move(m)}, [] {});
  }

  outcome<void> save_ending(ending_record r) {
    return write({std::move(r)}, [] {});
  }

  outcome<void> remember(const resource_id& owner, const retry_counts& counts) {
    if (recall(owner) == counts)
      return {};
    return write({retry_record{owner, counts}}, [&] { retries_[owner] = counts; });
  }

  outcome<void> forget(const resource_id& owner) {
    if (recall(owner) == retry_counts{})
      return {};
    return write({forget_retries{owner}}, [&] { retries_.erase(owner); });
  }

  outcome<void> hold(const std::string& owner, const resource_hold& h) {
    return write({hold_record{owner, h}}, [&] { holds_[owner] = h; });
  }

  outcome<void> release_hold_of(const std::string& owner) {
    return write({release_hold{owner}}, [&] { holds_.erase(owner); });
  }

  std::map<std::string, resource_hold> holds() const {
    return queue_.locked([&] { return holds_; });
  }

  retry_counts recall(const resource_id& owner) const {
    return queue_.locked([&] {
      const auto it = retries_.find(owner);
      return it == retries_.end() ? retry_counts{} : it->second;
    });
  }

  std::optional<owned_target> find(const resource_id& owner, const std::string& target) const {
    return queue_.locked([&]() -> std::optional<owned_target> {
      const auto it = records_.find({owner, target});
      return it == records_.end() ? std::nullopt : std::optional{it->second};
    });
  }

  std::vector<owned_target> of(const resource_id& owner) const {
    return queue_.locked([&] {
      std::vector<owned_target> found;
      for (auto it = records_.lower_bound({owner, {}});
           it != records_.end() && it->first.first == owner; ++it)
        found.push_back(it->second);
      return found;
    });
  }

  std::vector<owned_target> all() const {
    return queue_.locked([&] {
      std::vector<owned_target> found;
      found.reserve(records_.size());
      for (const auto& entry : records_)
        found.push_back(entry.second);
      return found;
    });
  }

  outcome<std::vector<accepted_manifest>> history(std::size_t limit) {
    const std::lock_guard guard{db_mutex_};
    return db_.accepted_rows(limit);
  }

  const std::string& folder() const { return folder_; }
  const std::vector<state_notice>& notices() const { return notices_; }
  bool rebuilding() const { return rebuilding_; }

  outcome<void> rebuilt() { return save_fact(rebuilding_fact, {}); }

  outcome<void> save_fact(const std::string& name, const std::string& value) {
    return write({fact_record{name, value}}, [] {});
  }

  outcome<std::string> fact(const std::string& name) {
    const std::lock_guard guard{db_mutex_};
    return db_.fact(name);
  }

  void watch_health(std::function<void(const outcome<void>&)> sink) {
    const std::lock_guard guard{db_mutex_};
    health_sink_ = std::move(sink);
  }
  std::uint64_t commits() const { return commits_; }

private:
  outcome<void> commit(const std::vector<const state_write*>& jobs) {
    const std::lock_guard guard{db_mutex_};
    ++commits_;
    auto done = db_.commit(jobs);
    const auto trouble = done ? std::nullopt : std::optional{done.error().code};
    if (std::exchange(trouble_, trouble) != trouble && health_sink_)
      health_sink_(done);
    return done;
  }

  /// Makes durable what nothing stands against, and `mirror`s it in memory, under the queue's lock.
  template <class Mirror>
  outcome<void> write(const state_write& job, Mirror mirror) {
    return queue_.submit(
      job, [] { return outcome<void>{}; },
      [&](const outcome<void>& done) {
        if (done)
          mirror();
      });
  }

  // The following run under the queue's lock (or in the constructor).

  void put(const owned_target& t) {
    records_[{t.owner, t.target}] = t;
    holders_[holding_of(t.owner, t.target)] = t.owner;
  }

  void drop(const resource_id& owner, const std::string& target) {
    if (records_.erase({owner, target}) > 0)
      holders_.erase(holding_of(owner, target));
  }

  /// Who holds it, durably or in a write under way.
  std::optional<resource_id> holder_of(const std::string& holding) const {
    if (const auto it = in_flight_.lower_bound({holding, {}});
        it != in_flight_.end() && it->first == holding)
      return it->second;
    const auto it = holders_.find(holding);
    return it == holders_.end() ? std::nullopt : std::optional{it->second};
  }

  bool is_in_flight(const std::string& holding) const {
    return queue_.locked([&] {
      const auto it = in_flight_.lower_bound({holding, {}});
      return it != in_flight_.end() && it->first == holding;
    });
  }

  const std::string folder_;
  const state_lock lock_;
  std::mutex db_mutex_;
  state_database db_;
  const std::vector<state_notice> notices_;
  const bool rebuilding_;
  std::optional<ec> trouble_; ///< of the last commit
  std::function<void(const outcome<void>&)> health_sink_;
  std::atomic<std::uint64_t> commits_{0};
  std::map<std::pair<resource_id, std::string>, owned_target> records_;
  std::map<std::string, resource_id> holders_;
  std::map<resource_id, retry_counts> retries_;
  std::map<std::string, resource_hold> holds_; ///< by resource id; "": the whole device
  std::multiset<std::pair<std::string, resource_id>> in_flight_;
  commit_queue<state_write> queue_;
};

} // namespace harmony

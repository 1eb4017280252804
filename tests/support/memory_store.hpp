#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "transport/store.hpp"

namespace harmony::test {

/// The calls of a store, for counting and for injecting failures.
enum class store_call { prepare, get, put, remove, keys, watch, beat, last_beat, watch_beats };

/// A store in memory with the whole contract of the port: compare-and-set, hints, heartbeats,
/// connection state. Hints are delivered synchronously, on the thread that made the change, after
/// it can be read and with no lock of the store held; so a test under virtual time stays
/// deterministic. Thread-safe.
///
/// Faults on demand: `fail_next` makes calls fail, `lose_reply` applies a write and reports
/// timed_out, `set_connected(false)` cuts the connection, `before` runs a hook ahead of a call (to
/// slip in a competing write, or to block).
class memory_store final : public store {
public:
  using clock = std::function<std::chrono::system_clock::time_point()>;
  using hook = std::function<void(bucket b, std::string_view key)>;

  /// `prepared`: whether the buckets exist already. `now` stamps entries and heartbeats.
  explicit memory_store(bool prepared = true, clock now = {})
    : now_(now ? std::move(now) : [] { return std::chrono::system_clock::now(); }),
      prepared_(prepared) {}

  memory_store(const memory_store&) = delete;
  memory_store& operator=(const memory_store&) = delete;

  // -- faults and inspection --------------------------------------------------------------------

  /// The next `times` calls of `which` fail with `why` and change nothing.
  void fail_next(store_call which, const failure& why, std::size_t times = 1) {
    const std::lock_guard lock{mutex_};
    for (std::size_t i = 0; i < times; ++i)
      at(which).failures.push_back(why);
  }

  /// The next put is applied, and the caller is told timed_out. The same put made again is
  /// recognised and gives the revision of the first.
  void lose_reply() {
    const std::lock_guard lock{mutex_};
    lose_reply_ = true;
  }

  /// Runs `run` before each call of `which`, outside the lock; an empty one ends that.
  void before(store_call which, hook run) {
    const std::lock_guard lock{mutex_};
    at(which).before = std::move(run);
  }

  /// How often `which` was called, failed calls included.
  [[nodiscard]] std::size_t calls(store_call which) const {
    const std::lock_guard lock{mutex_};
    return per_call_[static_cast<std::size_t>(which)].count;
  }

  /// Cuts or restores the connection. A restored one gives every watcher a hint with no key.
  void set_connected(bool connected, const std::string& detail = "by the test") {
    std::vector<std::shared_ptr<watcher>> told;
    on_state state_sink;
    {
      const std::lock_guard lock{mutex_};
      if (closed_ || connected_ == connected)
        return;
      connected_ = connected;
      detail_ = detail;
      if (connected)
        told = live_watchers([](const watcher&) { return true; });
      state_sink = state_sink_;
    }
    if (state_sink)
      state_sink(connected, detail);
    for (const auto& w : told)
      w->tell({});
  }

  /// Hints every watcher of `key` although nothing changed, as the contract allows.
  void hint(bucket b, const std::string& key) { notify(b, key); }

  /// The number of subscriptions that are alive, of heartbeats too.
  [[nodiscard]] std::size_t watchers() const {
    const std::lock_guard lock{mutex_};
    return live_watchers([](const watcher&) { return true; }).size();
  }

  /// Writes whatever the revision is, as an operator with a hammer would.
  std::uint64_t force(bucket b, std::string_view key, std::string_view value) {
    std::uint64_t revision = 0;
    {
      const std::lock_guard lock{mutex_};
      revision = write(b, key, value);
    }
    notify(b, std::string{key});
    return revision;
  }

  // -- the port ---------------------------------------------------------------------------------

  outcome<void> prepare(milliseconds /*timeout*/) override {
    enter(store_call::prepare, bucket::desired_state, {});
    const std::lock_guard lock{mutex_};
    if (auto why = refusal(store_call::prepare, false))
      return *why;
    prepared_ = true;
    return {};
  }

  outcome<std::optional<store_entry>> get(bucket b, std::string_view key,
                                          milliseconds /*timeout*/) override {
    enter(store_call::get, b, key);
    const std::lock_guard lock{mutex_};
    if (auto why = refusal(store_call::get, true))
      return *why;
    return newest(b, key);
  }

  outcome<std::uint64_t> put(bucket b, std::string_view key, std::string_view value,
                             std::uint64_t expected, milliseconds /*timeout*/) override {
    enter(store_call::put, b, key);
    std::uint64_t revision = 0;
    bool lost = false;
    {
      const std::lock_guard lock{mutex_};
      if (auto why = refusal(store_call::put, true))
        return *why;
      const auto now = newest(b, key);
      if (unanswered_ && unanswered_->same(b, key, value, expected) && now
          && now->revision == unanswered_->revision) {
        unanswered_.reset();
        return now->revision;
      }
      if ((now ? now->revision : 0) != expected)
        return {ec::conflict, "put '" + std::string{key} + "' failed: expected revision "
                                + std::to_string(expected) + ", found "
                                + std::to_string(now ? now->revision : 0)};
      revision = write(b, key, value);
      lost = std::exchange(lose_reply_, false);
      if (lost)
        unanswered_ = write_record{b, std::string{key}, std::string{value}, expected, revision};
    }
    notify(b, std::string{key});
    if (lost)
      return {ec::timed_out, "put '" + std::string{key} + "' timed out: the reply was lost"};
    return revision;
  }

  outcome<void> remove(bucket b, std::string_view key, std::uint64_t expected,
                       milliseconds /*timeout*/) override {
    enter(store_call::remove, b, key);
    {
      const std::lock_guard lock{mutex_};
      if (auto why = refusal(store_call::remove, true))
        return *why;
      const auto now = newest(b, key);
      if ((now ? now->revision : 0) != expected)
        return {ec::conflict, "remove '" + std::string{key} + "' failed: expected revision "
                                + std::to_string(expected) + ", found "
                                + std::to_string(now ? now->revision : 0)};
      if (!now)
        return {};
      ++sequence_; // a delete marker takes a revision, as in a real store
      entries_.erase({b, std::string{key}});
    }
    notify(b, std::string{key});
    return {};
  }

  outcome<std::vector<std::string>> keys(bucket b, milliseconds /*timeout*/) override {
    enter(store_call::keys, b, {});
    const std::lock_guard lock{mutex_};
    if (auto why = refusal(store_call::keys, true))
      return *why;
    std::vector<std::string> found;
    for (const auto& [where, entry] : entries_)
      if (where.first == b)
        found.push_back(where.second);
    return found;
  }

  outcome<std::unique_ptr<subscription>> watch(bucket b, std::string_view key,
                                               on_change sink) override {
    enter(store_call::watch, b, key);
    const std::lock_guard lock{mutex_};
    if (auto why = refusal(store_call::watch, false))
      return *why;
    return subscribe({false, b, std::string{key}}, std::move(sink));
  }

  outcome<void> beat(std::string_view agent, std::string_view payload) override {
    enter(store_call::beat, bucket::actual_state, agent);
    std::vector<std::shared_ptr<watcher>> told;
    {
      const std::lock_guard lock{mutex_};
      if (auto why = refusal(store_call::beat, false))
        return *why;
      beats_[std::string{agent}] = {std::string{payload}, ++sequence_, now_()};
      told = live_watchers([](const watcher& w) { return w.what.beats; });
    }
    for (const auto& w : told)
      w->tell(std::string{agent});
    return {};
  }

  outcome<std::optional<store_entry>> last_beat(std::string_view agent,
                                                milliseconds /*timeout*/) override {
    enter(store_call::last_beat, bucket::actual_state, agent);
    const std::lock_guard lock{mutex_};
    if (auto why = refusal(store_call::last_beat, false))
      return *why;
    const auto found = beats_.find(std::string{agent});
    if (found == beats_.end())
      return std::optional<store_entry>{};
    return std::optional{found->second};
  }

  outcome<std::unique_ptr<subscription>> watch_beats(on_change sink) override {
    enter(store_call::watch_beats, bucket::actual_state, {});
    const std::lock_guard lock{mutex_};
    if (auto why = refusal(store_call::watch_beats, false))
      return *why;
    return subscribe({true, bucket::actual_state, {}}, std::move(sink));
  }

  void watch_connection(on_state sink) override {
    bool connected = false;
    std::string detail;
    {
      const std::lock_guard lock{mutex_};
      state_sink_ = sink;
      connected = connected_;
      detail = detail_;
    }
    if (sink)
      sink(connected, detail);
  }

  void close() override {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    connected_ = false;
    state_sink_ = nullptr;
  }

private:
  struct target {
    bool beats = false;
    bucket in = bucket::desired_state;
    std::string key; ///< empty: any
  };

  /// One subscription. The recursive mutex is held during a callback, so that the end of the
  /// subscription waits for a callback of another thread and not for one of its own.
  struct watcher {
    target what;
    std::recursive_mutex running;
    on_change sink;

    void tell(const std::string& key) {
      const std::lock_guard lock{running};
      // A copy: the callback may end its own subscription.
      if (const auto call = sink)
        call(key);
    }
  };

  struct handle final : subscription {
    explicit handle(std::shared_ptr<watcher> w) : watched(std::move(w)) {}
    handle(const handle&) = delete;
    handle& operator=(const handle&) = delete;
    ~handle() override {
      const std::lock_guard lock{watched->running};
      watched->sink = nullptr;
    }
    std::shared_ptr<watcher> watched;
  };

  struct write_record {
    bucket in;
    std::string key, value;
    std::uint64_t expected, revision;

    [[nodiscard]] bool same(bucket b, std::string_view k, std::string_view v,
                            std::uint64_t e) const {
      return in == b && key == k && value == v && expected == e;
    }
  };

  struct call_state {
    std::size_t count = 0;
    std::deque<failure> failures;
    hook before;
  };

  call_state& at(store_call which) { return per_call_[static_cast<std::size_t>(which)]; }

  void enter(store_call which, bucket b, std::string_view key) {
    hook run;
    {
      const std::lock_guard lock{mutex_};
      ++at(which).count;
      run = at(which).before;
    }
    if (run)
      run(b, key);
  }

  std::optional<failure> refusal(store_call which, bool needs_bucket) {
    if (closed_)
      return failure{ec::store_unavailable, "the store is closed"};
    if (!at(which).failures.empty()) {
      auto why = at(which).failures.front();
      at(which).failures.pop_front();
      return why;
    }
    // A subscription outlives the connection, so it can be made without one.
    const bool subscribes = which == store_call::watch || which == store_call::watch_beats;
    if (!connected_ && !subscribes)
      return failure{ec::store_unavailable, "not connected: " + detail_};
    if (needs_bucket && !prepared_)
      return failure{ec::bucket_not_found, "the store was not prepared: run harmonyctl init"};
    return {};
  }

  [[nodiscard]] std::optional<store_entry> newest(bucket b, std::string_view key) const {
    const auto found = entries_.find({b, std::string{key}});
    if (found == entries_.end())
      return {};
    return found->second;
  }

  std::uint64_t write(bucket b, std::string_view key, std::string_view value) {
    const auto revision = ++sequence_;
    entries_[{b, std::string{key}}] = {std::string{value}, revision, now_()};
    return revision;
  }

  std::unique_ptr<subscription> subscribe(target what, on_change sink) {
    auto w = std::make_shared<watcher>();
    w->what = std::move(what);
    w->sink = std::move(sink);
    std::erase_if(watchers_, [](const auto& old) { return old.expired(); });
    watchers_.push_back(w);
    return std::make_unique<handle>(std::move(w));
  }

  template <class Predicate>
  std::vector<std::shared_ptr<watcher>> live_watchers(Predicate wanted) const {
    std::vector<std::shared_ptr<watcher>> found;
    for (const auto& weak : watchers_)
      if (auto w = weak.lock(); w && wanted(*w))
        found.push_back(std::move(w));
    return found;
  }

  void notify(bucket b, const std::string& key) {
    std::vector<std::shared_ptr<watcher>> told;
    {
      const std::lock_guard lock{mutex_};
      if (closed_ || !connected_)
        return;
      told = live_watchers([&](const watcher& w) {
        return !w.what.beats && w.what.in == b && (w.what.key.empty() || w.what.key == key);
      });
    }
    for (const auto& w : told)
      w->tell(key);
  }

  const clock now_;
  mutable std::mutex mutex_;
  bool prepared_;
  bool connected_ = true;
  bool closed_ = false;
  bool lose_reply_ = false;
  std::string detail_ = "in memory";
  std::uint64_t sequence_ = 0;
  std::map<std::pair<bucket, std::string>, store_entry> entries_;
  std::map<std::string, store_entry> beats_;
  std::vector<std::weak_ptr<watcher>> watchers_;
  std::optional<write_record> unanswered_;
  on_state state_sink_;
  std::array<call_state, 9> per_call_;
};

} // namespace harmony::test

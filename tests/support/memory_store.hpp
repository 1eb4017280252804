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
enum class store_call {
  prepare,
  get,
  put,
  remove,
  keys,
  watch,
  beat,
  last_beat,
  watch_beats,
  request
};

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
  void fail_next(store_call which, const failure& why, std::size_t times = 1);

  /// The next put is applied, and the caller is told timed_out. The same put made again is
  /// recognised and gives the revision of the first.
  void lose_reply();

  /// Runs `run` before each call of `which`, outside the lock; an empty one ends that.
  void before(store_call which, hook run);

  /// How often `which` was called, failed calls included.
  [[nodiscard]] std::size_t calls(store_call which) const;

  /// Cuts or restores the connection. A restored one gives every watcher a hint with no key.
  void set_connected(bool connected, const std::string& detail = "by the test");

  /// Hints every watcher of `key` although nothing changed, as the contract allows.
  void hint(bucket b, const std::string& key) { notify(b, key); }

  /// The number of subscriptions that are alive, of heartbeats too.
  [[nodiscard]] std::size_t watchers() const;

  /// Writes whatever the revision is, as an operator with a hammer would.
  std::uint64_t force(bucket b, std::string_view key, std::string_view value);

  /// Sends a command to who serves `agent`, and does not wait: `reply` is called with the answer.
  /// False: nobody serves it.
  bool send_command(std::string_view agent, std::string_view verb, std::string_view payload,
                    std::function<void(std::string answer)> reply);

  // -- the port ---------------------------------------------------------------------------------

  outcome<void> prepare(milliseconds /*timeout*/) override;
  outcome<std::optional<store_entry>> get(bucket b, std::string_view key,
                                          milliseconds /*timeout*/) override;
  outcome<std::uint64_t> put(bucket b, std::string_view key, std::string_view value,
                             std::uint64_t expected, milliseconds /*timeout*/) override;
  outcome<void> remove(bucket b, std::string_view key, std::uint64_t expected,
                       milliseconds /*timeout*/) override;
  outcome<std::vector<store_entry>> history(bucket b, std::string_view key,
                                            milliseconds timeout) override;
  outcome<std::vector<std::string>> keys(bucket b, milliseconds /*timeout*/) override;
  outcome<std::unique_ptr<subscription>> watch(bucket b, std::string_view key,
                                               on_change sink) override;
  outcome<void> beat(std::string_view agent, std::string_view payload) override;
  outcome<std::optional<store_entry>> last_beat(std::string_view agent,
                                                milliseconds /*timeout*/) override;
  outcome<std::unique_ptr<subscription>> watch_beats(on_change sink) override;
  outcome<std::unique_ptr<subscription>> serve(std::string_view agent, on_command sink) override;
  /// The answer must come before `timeout` of real time; one that comes at once needs no thread.
  outcome<std::string> request(std::string_view agent, std::string_view verb,
                               std::string_view payload, milliseconds timeout) override;
  void watch_connection(on_state sink) override;
  void close() override;

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

  /// Who serves an agent's commands; likewise.
  struct command_sink final : subscription {
    explicit command_sink(on_command s) : sink(std::move(s)) {}
    on_command sink;
  };
  struct serving_handle final : subscription {
    explicit serving_handle(std::shared_ptr<command_sink> s) : held(std::move(s)) {}
    std::shared_ptr<command_sink> held;
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

  void enter(store_call which, bucket b, std::string_view key);

  std::optional<failure> refusal(store_call which, bool needs_bucket);

  [[nodiscard]] std::optional<store_entry> newest(bucket b, std::string_view key) const;

  std::uint64_t write(bucket b, std::string_view key, std::string_view value);

  std::unique_ptr<subscription> subscribe(target what, on_change sink);

  template <class Predicate>
  std::vector<std::shared_ptr<watcher>> live_watchers(Predicate wanted) const {
    std::vector<std::shared_ptr<watcher>> found;
    for (const auto& weak : watchers_)
      if (auto w = weak.lock(); w && wanted(*w))
        found.push_back(std::move(w));
    return found;
  }

  void notify(bucket b, const std::string& key);

  const clock now_;
  mutable std::mutex mutex_;
  bool prepared_;
  bool connected_ = true;
  bool closed_ = false;
  bool lose_reply_ = false;
  std::string detail_ = "in memory";
  std::uint64_t sequence_ = 0;
  std::map<std::pair<bucket, std::string>, store_entry> entries_;
  std::map<std::pair<bucket, std::string>, std::vector<store_entry>> former_; ///< oldest first
  std::map<std::string, store_entry> beats_;
  std::vector<std::weak_ptr<watcher>> watchers_;
  std::optional<write_record> unanswered_;
  on_state state_sink_;
  std::map<std::string, std::weak_ptr<command_sink>> servers_;
  std::array<call_state, 10> per_call_;
};

} // namespace harmony::test

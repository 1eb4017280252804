#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "core/failover/events.hpp"
#include "guard/client.hpp"
#include "topology/check_limits.hpp"

namespace harmony::postgres {

/// The connection to the guard, on a thread of its own, made anew for ever. A deadline is passed on
/// as soon as there is a connection, and the newest alone.
class guard_link {
public:
  using teller = std::function<void(const failover::ev::guard&)>;

  /// `kill`: the guard's own time to kill, by which its deadline comes before the lease's end.
  guard_link(std::string socket, failover::duration kill) : path_(std::move(socket)), kill_(kill) {}
  ~guard_link() { close(); }
  guard_link(const guard_link&) = delete;
  guard_link& operator=(const guard_link&) = delete;

  /// `told` is called at each change, from this thread, and then `changed`.
  void open(teller told, std::function<void()> changed);
  void close();

  void arm(const failover::fx::arm_guard& what);
  /// `done`: true once there is no deadline, or no guard; false also where that is not known. A
  /// deadline that was to be passed on before is not any more.
  void disarm(std::function<void(bool)> done);

  /// Asks and waits for the answer. A refusal fails with not_allowed and the guard's words.
  outcome<guard::report> call(const guard::request& r, const check_limits& limits);
  /// Waits until what the guard said last satisfies; fails with timed_out or canceled.
  template <class Condition>
  outcome<guard::report> wait(Condition satisfied, const check_limits& limits) {
    std::unique_lock lock{mutex_};
    const bool come = news_.wait_until(lock, limits.cancel(), limits.end(),
                                       [&] { return last_ && satisfied(*last_); });
    if (come)
      return *last_;
    return failure{limits.canceled() ? ec::canceled : ec::timed_out,
                   limits.canceled() ? "given up"
                   : last_           ? "PostgreSQL did not come to be as it was asked in time"
                                     : "the guard does not answer at '" + path_ + "'"};
  }
  /// What it said last; nothing while it does not answer.
  [[nodiscard]] std::optional<guard::report> last() const;

private:
  struct job {
    guard::request what;
    std::function<void(outcome<guard::report>)> answer;
  };

  void run(const std::stop_token& stop);
  bool speak();
  void listen();
  bool ask(const guard::request& r, const std::function<void(outcome<guard::report>)>& answer);
  void note(std::optional<guard::report> r);
  void lost(const failure& why);
  void wake() const;
  void rest(const std::stop_token& stop, std::chrono::milliseconds t);

  std::string path_;
  failover::duration kill_;
  teller told_;
  std::function<void()> changed_;

  mutable std::mutex mutex_;
  std::condition_variable_any news_; ///< of `last_` and of `jobs_`
  std::optional<guard::report> last_;
  std::optional<guard::arm> deadline_; ///< to be passed on
  std::uint64_t disarms_ = 0;          ///< how many there were
  std::deque<job> jobs_;
  open_fd wake_;

  std::optional<guard::client> client_; ///< the thread's
  std::jthread thread_;
};

} // namespace harmony::postgres

#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "topology/systemd.hpp"
#include "topology/systemd_link.hpp"

namespace harmony {

/// Calls whose replies somebody waits for, on a condition of their own.
struct bus_wait {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<bus_reply> replies; ///< of each call, in the order they were given
  std::size_t missing = 0;        ///< replies still to come; for a job: 1 until it ended
  bool accepted = false;          ///< the job was queued
};

/// What a service manager's connection does, on one thread: connects and connects again, sends the
/// calls of other threads, hands out replies, follows jobs to their end, and shares lists and
/// reloads.
///
///     connecting --Subscribe answered--> up --connection or manager lost--> connecting
///     connecting --failed, or 2 s without success--> down --retry succeeded--> up
///
/// A call made while connecting waits for the outcome; one made while down fails at once.
class systemd_loop : public std::enable_shared_from_this<systemd_loop> {
public:
  using clock = std::chrono::steady_clock;
  using wait_ptr = std::shared_ptr<bus_wait>;

  /// `address` as of systemd_link::open; `reload_quiet` as of systemd_config.
  explicit systemd_loop(std::string address, std::chrono::milliseconds reload_quiet = {});
  ~systemd_loop();
  systemd_loop(const systemd_loop&) = delete;
  systemd_loop& operator=(const systemd_loop&) = delete;

  /// The loop itself; to be run on a thread of its own, until `stop`.
  void run();
  void stop();

  /// Any thread may call these; none waits.
  wait_ptr call(std::vector<bus_request> requests, clock::time_point deadline);
  /// The first reply has the rows of `units`; then come those of `more`, which is asked after it.
  /// Those who ask while a list is under way share the next one.
  wait_ptr look(std::vector<std::string> units, std::vector<bus_request> more,
                clock::time_point deadline);
  wait_ptr job(bus_request request, clock::time_point deadline);
  wait_ptr reload();
  /// The next end of a job of `unit`, whoever queued it.
  wait_ptr job_end(std::string unit);
  /// The waiter has left: what comes for it is dropped.
  void abandon(const wait_ptr& wait);

  void listen(systemd_events::on_event sink);
  void watch_units(std::vector<std::string> units);
  [[nodiscard]] bool up() const { return up_; }
  /// Lists shared by looks that were sent so far.
  [[nodiscard]] std::uint64_t lists() const { return lists_; }
  /// Reload calls sent so far.
  [[nodiscard]] std::uint64_t reloads() const { return reloads_; }

private:
  enum class phase { connecting, up, down };
  using task = std::function<void()>;
  /// A look that waits for its list to be sent.
  struct looking {
    wait_ptr wait;
    std::vector<std::string> units;
    std::vector<bus_request> more;
    clock::time_point deadline;
  };

  void post(task t);
  void drain();
  void wait_for_work();
  void step();
  void connect();
  void disconnect();
  void subscribe();
  void become_up();
  void lose(const std::string& why, bool manager_only);
  void give_up(const std::string& why);
  void whenever_up(const wait_ptr& wait, task send);
  /// Sends a call of `wait` as soon as there is room for one more without an answer.
  void in_turn(const wait_ptr& wait, task send);
  void send_waiting();
  outcome<void> ask(const bus_request& request, std::chrono::milliseconds timeout,
                    systemd_link::on_reply done);
  void send(const wait_ptr& wait, std::size_t index, const bus_request& request,
            clock::time_point deadline);
  void send_list();
  /// Gives each of `all` its rows.
  void list_answered(const std::vector<looking>& all, bus_reply reply);
  void send_job(const wait_ptr& wait, const bus_request& request, clock::time_point deadline);
  /// When the reload that somebody waits for is to be sent; nothing: none is, or one runs.
  [[nodiscard]] std::optional<clock::time_point> reload_due() const;
  void send_reload();
  void job_ended(const std::string& path, const std::string& result);
  void end_waits(std::multimap<std::string, wait_ptr>& waits, const std::string& key,
                 const std::string& result);
  void deliver(const bus_signal& signal);
  void tell(const systemd_event& event);
  void sync_matches();
  static void fulfil(const wait_ptr& wait, std::size_t index, bus_reply reply);
  static void fail(const wait_ptr& wait, const std::string& why);

  const std::string address_;
  const std::chrono::milliseconds reload_quiet_;
  int wake_ = -1; ///< eventfd

  std::mutex queue_mutex_;
  std::vector<task> queue_;
  std::mutex sink_mutex_;
  systemd_events::on_event sink_;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> up_ = false;
  std::atomic<std::uint64_t> lists_ = 0;
  std::atomic<std::uint64_t> reloads_ = 0;

  // All below belongs to the loop's thread.
  phase phase_ = phase::connecting;
  std::string why_down_;
  clock::time_point connecting_since_;
  clock::time_point next_try_;
  std::chrono::milliseconds retry_delay_;
  std::unique_ptr<systemd_link> link_;
  std::uint64_t epoch_ = 0; ///< grows with each connection and each loss; tells late replies
  std::vector<std::shared_ptr<void>> matches_;
  std::map<std::string, std::shared_ptr<void>> unit_matches_; ///< by object path; "": all units
  std::map<std::string, std::string> watched_;                ///< object path -> unit
  std::vector<std::pair<wait_ptr, task>> queued_;             ///< until the manager is up
  std::deque<std::pair<wait_ptr, task>> outgoing_;            ///< until there is room
  std::vector<looking> looking_;                              ///< until the list before has ended
  bool listing_ = false;
  std::size_t unanswered_ = 0; ///< calls of this connection
  std::set<wait_ptr> in_flight_;
  std::multimap<std::string, wait_ptr> jobs_;      ///< by object path of the job
  std::multimap<std::string, wait_ptr> unit_jobs_; ///< by unit: its next job's end
  std::map<std::string, std::string> early_;       ///< jobs that ended before their call's reply
  std::size_t starting_ = 0;                       ///< job calls without a reply
  std::vector<wait_ptr> reload_running_;
  std::vector<wait_ptr> reload_waiting_;
  clock::time_point first_reload_asked_; ///< of those in reload_waiting_
  clock::time_point last_reload_asked_;
};

} // namespace harmony

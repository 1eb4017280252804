#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "soak/run_delays.hpp"
#include "transport/store.hpp"

namespace harmony::soak {

using steady = std::chrono::steady_clock;

/// Gaps between heartbeats of one sender, while they were to be expected.
struct gap_list {
  struct gap {
    steady::time_point from, to;
    double waited = 0; ///< ms that its sender's threads waited for a processor meanwhile
    [[nodiscard]] double ms() const {
      return std::chrono::duration<double, std::milli>(to - from).count();
    }
  };
  std::vector<gap> gaps;
  std::vector<double> returns; ///< ms from the end of an outage to the first heartbeat

  [[nodiscard]] double at(double share) const; ///< ms; 0 where there is none
};

/// Subscribes to the heartbeats of the agent and, to know what the machine itself can do just now,
/// of a sender of its own ("control") that does nothing but send through the same server at the
/// same interval.
class beat_watch {
public:
  beat_watch(const std::string& store_url, std::chrono::milliseconds period);
  ~beat_watch();
  beat_watch(const beat_watch&) = delete;
  beat_watch& operator=(const beat_watch&) = delete;

  // What is said between an outage's begin and the first heartbeat after its end is no gap.
  void server_goes();
  void server_is_back();
  void agent_goes();
  void agent_is_back(pid_t pid);

  struct verdict {
    gap_list agent, control;
    std::size_t late = 0; ///< gaps of the agent longer than the period and 50 ms
    /// Of these, those that neither the control's lateness in the minute around nor the agent's own
    /// wait for a processor explain, in words.
    std::vector<std::string> unexplained;
  };
  [[nodiscard]] verdict judge() const;
  /// The longest gap of the agent since the last call, in ms.
  double worst_since();

private:
  struct chain {
    bool expected = true;
    bool has_last = false;
    bool returning = false;
    steady::time_point last, back;
    gap_list seen;
    double worst = 0;

    void goes() { expected = has_last = returning = false; }
    void is_back() {
      expected = returning = true;
      has_last = false;
      back = steady::now();
    }
    void beat(steady::time_point now, double waited);
  };

  void send_control();

  mutable std::mutex mutex_;
  std::condition_variable ends_;
  bool ended_ = false;
  chain agent_, control_;
  pid_t agent_pid_ = 0;
  run_delays agent_delays_; ///< as of its last heartbeat
  steady::time_point start_ = steady::now();
  std::chrono::milliseconds period_;
  std::unique_ptr<store> listener_, sender_;
  std::unique_ptr<subscription> watch_;
  std::thread control_thread_;
};

} // namespace harmony::soak

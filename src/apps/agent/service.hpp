#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>

#include "actors/root.hpp"

namespace harmony {

/// The agent as a service: signals, and sd_notify(3) where a service manager listens.
class service_manager {
public:
  /// Makes TERM, INT and HUP wait for `wait`, in every thread started afterwards. To be called
  /// first.
  static void block_signals();

  explicit service_manager(root_actor agent);

  void ready();
  void reloading();
  void stopping();

  /// Blocks until SIGTERM, SIGINT or SIGHUP and returns it. Meanwhile tells the watchdog that the
  /// agent lives, but only while every thread that calls the store answers: a library call that
  /// never returns ends in a restart. Without a watchdog it wakes once, some seconds after the
  /// start, to give back what only the start needed.
  int wait();

private:
  [[nodiscard]] bool all_present();
  [[nodiscard]] std::chrono::nanoseconds next_pause() const;

  root_actor agent_;
  std::optional<std::chrono::steady_clock::time_point> trims_at_; ///< until it was done
  std::optional<std::chrono::microseconds> watchdog_;
  std::shared_ptr<std::atomic<unsigned>> roll_; ///< of the roll call under way
};

} // namespace harmony

#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/lifecycle.hpp"

namespace harmony::test {

/// A small generator with a state that fits a word, so that 20,000 worlds are quick to seed.
class dice {
public:
  using result_type = std::uint64_t;
  explicit dice(std::uint64_t seed) : state_(seed) {}
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return ~result_type{0}; }
  result_type operator()() {
    state_ += 0x9e3779b97f4a7c15ULL;
    auto z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31U);
  }
  std::uint64_t below(std::uint64_t n) { return (*this)() % n; }
  bool chance(unsigned percent) { return below(100) < percent; }
  double unit() { return static_cast<double>(below(1U << 20U)) / (1U << 20U); }

private:
  std::uint64_t state_;
};

/// One lifecycle machine amid a hostile device: an executor that answers late, after a cancel, or
/// with failures, and at times twice; hints that get lost; timers that fire late or long after they
/// were replaced; things that change by themselves. After each step it holds the machine to the
/// invariants of `struct lifecycle`; the first violation is kept in `violation`.
class world {
public:
  explicit world(std::uint64_t seed) : dice_(seed) { now_ += std::chrono::hours{1}; }

  /// One random thing happens.
  void disturb();

  /// The agent dies and starts anew: operations in flight end somehow, the machine starts from the
  /// newest desire.
  void crash();

  /// Faults end; the device gets `desired` and one relist. True when the machine comes to rest
  /// where it should be: ready at the newest desire, or removed with the thing gone.
  bool settles();

  [[nodiscard]] const std::string& violation() const { return violation_; }
  [[nodiscard]] const lifecycle& state() const { return state_; }
  [[nodiscard]] std::string story() const;

private:
  struct operation {
    std::uint64_t number = 0;
    operation_kind kind = operation_kind::none;
    std::string desire; ///< what the shell gave it
    std::vector<change> changes;
    bool canceled = false;
  };
  struct timer {
    std::uint64_t epoch = 0;
    instant at;
  };
  /// What the newest answered look said, and of which desire.
  struct look {
    std::string desire;
    bool equal = false;
  };

  void feed(const lifecycle_event& e, const char* name);
  void perform(const lifecycle_effect& e, const lifecycle& before);
  void start(operation op);
  void perform_apply(const fx::apply& e, const lifecycle& before);
  void perform_cancel(const fx::cancel& e);
  void hold_invariants(const lifecycle& before, const lifecycle_event& event);
  void hold_hints(const lifecycle& before, const lifecycle_event& event);
  void hold_phase_order(const lifecycle& before, const lifecycle_event& event);
  void expect(bool ok, const char* what);

  void desire_anew();
  void answer(bool faults);
  void answer_look(const operation& op, bool faults);
  void answer_apply(const operation& op, bool faults);
  void answer_removal(const operation& op, bool faults);
  void fire_timer();
  void probe(bool faults);
  void hold();
  void restart();
  [[nodiscard]] bool is_held() const { return held_until_ && now_ < *held_until_; }
  failure some_failure();
  ev::desired desired() const;

  dice dice_;
  instant now_;
  backoff_policy policy_;
  lifecycle state_;
  std::string violation_;
  std::vector<std::string> story_;

  // The device.
  std::string actual_; ///< the desire it equals; other text: something else; empty: absent
  bool alive_ = true;  ///< what liveness probes would find
  bool foreign_ = false;

  // The control plane.
  std::string wanted_; ///< newest desire; empty: none, or rejected
  std::string wanted_probes_;
  bool dependencies_ready_ = true;
  bool leaves_ = false;
  std::optional<instant> held_until_;
  std::uint32_t desires_ = 0;

  // The shell.
  std::vector<operation> in_flight_;
  std::vector<lifecycle_event> answered_; ///< to be sent twice
  std::vector<timer> timers_;
  bool probes_running_ = false;

  // What the invariants are told from.
  std::optional<look> seen_;
  bool settled_ = false; ///< an equal look since the desire changed
  bool unseen_ = false;  ///< a hint, or a failed look, that no look followed yet
  std::uint64_t last_number_ = 0;
  std::uint64_t last_number_before_ = 0; ///< before this step
  std::vector<instant> applies_;         ///< of this desire, since the last long health
  std::optional<instant> well_since_;
};

} // namespace harmony::test

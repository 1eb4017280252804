#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "failover/cluster_bed.hpp"

namespace harmony::test {

/// A write that a server said is committed. Times are of CLOCK_BOOTTIME.
struct acknowledged {
  std::uint64_t id = 0;
  std::string node;
  failover::instant sent;
  failover::instant at; ///< the answer came
  std::uint32_t timeline = 0;
};

/// Clients that write all the time, one bound to each member, and what they were told. A member
/// that is no primary refuses them, and is asked again soon.
class load {
public:
  /// Precondition: there is a primary, which gets a table.
  explicit load(cluster_bed& bed);
  ~load();
  load(const load&) = delete;
  load& operator=(const load&) = delete;

  void stop();
  /// Ends the client of this member.
  void spare(const bed_member& m);
  [[nodiscard]] std::vector<acknowledged> answers() const;
  /// Waits until a write that was sent after `since` is acknowledged; how long after `since` that
  /// was.
  failover::duration next_after(failover::instant since,
                                std::chrono::seconds limit = std::chrono::seconds{60});

  /// What the answers prove to be wrong: a write on an older timeline that was sent after one on a
  /// newer timeline was acknowledged, or two members on one timeline; a line each. Empty: nothing.
  [[nodiscard]] std::string two_writable() const;
  /// How often another timeline was begun between two acknowledged writes.
  [[nodiscard]] std::size_t failovers() const;
  /// How many acknowledged writes are missing in the primary that there is now.
  [[nodiscard]] std::size_t lost() const;
  /// The longest time between two acknowledged writes one after the other.
  [[nodiscard]] failover::duration longest_gap() const;

private:
  void write(const bed_member& to, const std::stop_token& stop);

  cluster_bed& bed_;
  std::atomic<std::uint64_t> ids_{0};
  mutable std::mutex mutex_; // guards the answers
  std::vector<acknowledged> answers_;
  std::vector<std::jthread> clients_; // in the order of the members
};

} // namespace harmony::test

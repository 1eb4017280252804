#pragma once

#include <optional>
#include <string>

#include "core/status_claim.hpp"
#include "model/status.hpp"
#include "transport/store.hpp"

namespace harmony {

/// The agent's key of bucket actual-state: what stands there, whose it is, and what this run wrote.
/// A look or a write is one call to the store, so that whoever uses it can answer in between.
class status_key {
public:
  status_key(store& actual, std::string agent, const std::string& boot_id,
             std::chrono::milliseconds timeout)
    : actual_(actual), agent_(std::move(agent)), timeout_(timeout), claim_(boot_id) {}

  /// Something else may stand there: look before the next write.
  void doubt() noexcept { doubted_ = true; }
  /// Another server, or another store, may answer from now on.
  void doubt_store() noexcept;
  [[nodiscard]] bool doubted() const noexcept { return doubted_; }

  /// Reads the key and finds out whose it is.
  outcome<void> look();

  /// Whether nothing is to be written for `document`: the key has it, or is another's. Sets its
  /// sequence to compare.
  [[nodiscard]] bool current(agent_status& document) const;

  /// Writes `document`, or this run's mark into another's; sets its sequence, which is a new one
  /// for each new content. True when it stands there, false when another look or attempt is due at
  /// once.
  outcome<bool> write(agent_status& document, timestamp now);

  /// Writes the facts of the device into bucket device-info where that has others: a read and a
  /// write. They are no reason to wait for anything: the next connection tries again.
  outcome<void> write_facts(const std::string& text);

  /// Whether this run ever wrote.
  [[nodiscard]] bool written() const noexcept { return written_.has_value(); }
  [[nodiscard]] const status_claim& claim() const noexcept { return claim_; }

private:
  outcome<std::uint64_t> compare_and_set(const std::string& text);
  outcome<bool> put(const std::string& text);
  outcome<bool> put_own(const agent_status& document, timestamp now);
  void landed();

  store& actual_;
  std::string agent_;
  std::chrono::milliseconds timeout_;
  status_claim claim_;

  bool doubted_ = true;
  std::uint64_t revision_ = 0; ///< of the key, while not doubted
  claim_act due_ = claim_act::none;
  std::string marked_; ///< what to write for claim_act::mark

  std::uint64_t sequence_ = 0;          ///< of the newest content
  bool renumber_ = true;                ///< the next one gets another, whatever it says
  std::optional<agent_status> written_; ///< as last stored, whole
  std::optional<agent_status> tried_;   ///< as last given to the store, where that was not answered
  std::string written_hash_, tried_hash_;
  std::optional<std::size_t> refused_bytes_; ///< smallest document that was too large
};

} // namespace harmony

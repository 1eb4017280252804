#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/status.hpp"

namespace harmony {

/// What stands under the agent's status key.
struct status_seen {
  std::string boot_id;        ///< of the run that it is of; empty: none, or no status at all
  std::string contender;      ///< of the run that left its mark in it; empty: none
  std::uint64_t revision = 0; ///< of the key
  bool same_document = false; ///< it is what this run wrote last
};

enum class claim_act {
  none,  ///< the key is right, or another's
  write, ///< write this run's status
  mark,  ///< write what is there again, with this run as its contender
};

/// Whose the status key is, as one run of the agent sees it.
///
/// Normally it is this run's: what an earlier run left, an older copy that a restored store brought
/// back, and rubbish are written over. Another run that writes *after* this one did is alive: two
/// agents have one id. Then the run with the lower boot id keeps the key and the other yields, so
/// that they do not write over each other for ever:
///
///     holder:  its status, contender empty ----look----> contender: note the other, write anew
///     yielder: holder's status ----look----> mark it with its own boot id, now and then
///
/// A mark that goes is the holder's sign of life, one that comes is the yielder's. Where the sign
/// stays away for a while the other is gone: a yielder then takes the key over, a holder forgets.
///
/// Invariant: `other` is never `own`. A yielder never writes its own status.
class status_claim {
public:
  /// Looks without a sign after which the other is taken to be gone.
  static constexpr unsigned yielder_patience = 3;
  static constexpr unsigned holder_patience = 9;
  /// A yielder marks every so many looks.
  static constexpr unsigned mark_every = 3;

  explicit status_claim(std::string own_boot_id) : own_(std::move(own_boot_id)) {}

  /// This run wrote its status as `revision`.
  void wrote(std::uint64_t revision) noexcept { written_ = revision; }

  /// The key was read.
  claim_act look(const status_seen& seen);

  [[nodiscard]] const std::string& own() const noexcept { return own_; }
  /// The other agent's boot id, while there is one.
  [[nodiscard]] const std::optional<std::string>& other() const noexcept { return other_; }
  [[nodiscard]] bool yields() const noexcept { return other_ && *other_ < own_; }

private:
  claim_act look_at_own(const status_seen& seen);
  claim_act look_at_foreign(const status_seen& seen);
  claim_act sign_missed(unsigned patience);

  std::string own_;
  std::optional<std::uint64_t> written_; ///< newest revision that is of this run
  std::optional<std::string> other_;
  unsigned missed_ = 0;      ///< looks since the other's last sign
  unsigned since_mark_ = 0;  ///< looks at an unmarked document since this run marked it
  std::uint64_t marked_ = 0; ///< revision that was marked at the last look
};

/// What the condition `DuplicateAgent` should say from now on; nothing where `conditions` say it
/// already, or there never was another agent.
std::optional<condition> duplicate_condition(const status_claim& claim, const std::string& agent,
                                             const std::vector<condition>& conditions);

} // namespace harmony

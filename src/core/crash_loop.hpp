#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/admission.hpp"
#include "model/ids.hpp"

namespace harmony {

/// An operation that had begun and not ended.
struct operation_under_way {
  resource_id id;
  bool acting = false; ///< it changed something (apply, remove); false: it looked

  friend bool operator==(const operation_under_way&, const operation_under_way&) = default;
};

/// A run of the agent that ended without its leave.
struct crash_record {
  accepted_mark on;             ///< the newest accepted manifest at that time
  std::chrono::milliseconds at; ///< since the device booted: the wall clock may step
  std::vector<operation_under_way> under_way;

  friend bool operator==(const crash_record&, const crash_record&) = default;
};

/// The crashes on one manifest, oldest first, since it last did well.
struct crash_history {
  std::vector<crash_record> crashes;
  bool tripped = false; ///< they were too many, and it did not do well since

  friend bool operator==(const crash_history&, const crash_history&) = default;
};

struct crash_loop_policy {
  std::size_t most = 5; ///< crashes
  std::chrono::milliseconds within = std::chrono::minutes{2};
  /// A run for so long with the manifest in force did well: its crashes are forgotten.
  std::chrono::milliseconds healthy_after = std::chrono::minutes{2};
  /// In safe mode the manifest is tried again after so long.
  std::chrono::milliseconds try_after = std::chrono::minutes{10};
};

/// The history with one more crash. Those on another manifest are dropped: it is no longer in the
/// way. So are those longer ago than `within`, unless they have tripped it; `most` are kept.
crash_history after_crash(crash_history before, crash_record crash,
                          const crash_loop_policy& p = {});

/// Why a run that begins after that crash has to hold back: a sentence for a person that names the
/// resources under suspicion. Empty: it need not. A history that has tripped once holds back at
/// each further crash, until a run does well or another manifest comes.
///
///   crashes < most: normal --most within `within`--> safe mode --try_after, or a start by
///   somebody--> one try --crash--> safe mode, at once
///               any of them --a newer manifest, or healthy_after--> normal
std::string why_held_back(const crash_history& h, const crash_loop_policy& p = {});

/// The resources that were under way in at least half of the crashes, those that were being changed
/// before those that were looked at, the most frequent first; of those looked at none where any was
/// being changed.
std::vector<resource_id> suspects(const crash_history& h);

} // namespace harmony

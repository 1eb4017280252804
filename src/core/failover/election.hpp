#pragma once

// Who may take over: what can be said of one member's data, and of an election's reports.

#include <string>
#include <vector>

#include "core/failover/machine.hpp"

namespace harmony::failover {

/// One member's frozen report, as an election sees it.
struct candidate {
  std::string node;
  std::uint32_t priority = 0;
  bool electable = false;
  frozen_report report;

  friend bool operator==(const candidate&, const candidate&) = default;
};

/// Whether the data of `pg` are a part of the history that `record` tells of: `none`,
/// `timeline_forked` or `timeline_behind`. `kept`: what is known of who made their timeline.
refusal ancestry(const lease_record& record, const postgres& pg, const memory& kept);

/// Whether `a` goes before `b`: synchronous member, what it has, priority, name.
bool better(const candidate& a, const candidate& b, const sync_set& sync);

/// Whether enough members of `sync` are among those that reported that each acknowledged commit is
/// with one of them: R + W > N.
bool covers(const sync_set& sync, const std::vector<candidate>& reported);

/// Whether a member of `sync` reported more than `mine`.
bool exceeded(const sync_set& sync, const std::vector<candidate>& reported,
              const frozen_report& mine);

/// How a member can follow the primary that `record` names. `source_timeline`: of the primary's
/// control file; until it is the record's, a rewind would find nothing to do.
rejoin_step rejoin_plan(const lease_record& record, const postgres& pg,
                        std::uint32_t source_timeline, const memory& kept, bool may_rewind);

} // namespace harmony::failover

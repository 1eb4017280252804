#include "core/failover/election.hpp"

#include <algorithm>
#include <tuple>

namespace harmony::failover {

namespace {

bool is_member(const sync_set& sync, const std::string& node) {
  return std::find(sync.members.begin(), sync.members.end(), node) != sync.members.end();
}

auto extent(const frozen_report& r) {
  return std::tie(r.timeline, r.at);
}

/// Whether the local data's timeline was made by `maker`, as far as is known.
bool made_by(const std::string& maker, const postgres& pg, const memory& kept) {
  return kept.timeline != pg.timeline || kept.maker.empty() || kept.maker == maker;
}

/// Whether the local data's timeline is the record's, and not another one of that number.
bool same_timeline(const lease_record& record, const postgres& pg, const memory& kept) {
  if (pg.timeline != record.timeline || !made_by(record.maker, pg, kept))
    return false;
  if (pg.history.empty() || record.parent == 0)
    return pg.history.empty() == (record.parent == 0);
  return pg.history.back() == past_timeline{record.parent, record.switch_lsn};
}

/// Whether they are on the timeline before, and did not go beyond where the record's left it.
bool before_switch(const lease_record& record, const postgres& pg, const memory& kept) {
  return pg.timeline == record.parent && made_by(record.parent_maker, pg, kept)
         && pg.end() <= record.switch_lsn;
}

} // namespace

refusal ancestry(const lease_record& record, const postgres& pg, const memory& kept) {
  // This member's own promotion, under this claim or one before it: no record has told of it yet.
  const bool own = kept.left != 0 && kept.timeline == pg.timeline && kept.left == record.timeline
                   && kept.left_maker == record.maker;
  if (own || same_timeline(record, pg, kept) || before_switch(record, pg, kept))
    return refusal::none;
  const auto left = std::find_if(pg.history.begin(), pg.history.end(),
                                 [&](const auto& p) { return p.timeline == record.timeline; });
  if (left != pg.history.end())
    return left->left_at >= record.flush_lsn ? refusal::none : refusal::timeline_forked;
  return pg.timeline < record.parent ? refusal::timeline_behind : refusal::timeline_forked;
}

bool better(const candidate& a, const candidate& b, const sync_set& sync) {
  const auto rank = [&](const candidate& c) {
    return std::make_tuple(is_member(sync, c.node), c.report.timeline, c.report.at, c.priority);
  };
  const auto ra = rank(a);
  const auto rb = rank(b);
  return ra != rb ? ra > rb : a.node < b.node;
}

bool covers(const sync_set& sync, const std::vector<candidate>& reported) {
  const auto r = std::count_if(reported.begin(), reported.end(),
                               [&](const auto& c) { return is_member(sync, c.node); });
  return static_cast<std::size_t>(r) + sync.k > sync.members.size() && r > 0;
}

bool exceeded(const sync_set& sync, const std::vector<candidate>& reported,
              const frozen_report& mine) {
  return std::any_of(reported.begin(), reported.end(), [&](const auto& c) {
    return is_member(sync, c.node) && extent(c.report) > extent(mine);
  });
}

rejoin_step rejoin_plan(const lease_record& record, const postgres& pg,
                        std::uint32_t source_timeline, const memory& kept, bool may_rewind) {
  if (kept.damaged || pg.system_id == 0)
    return rejoin_step::reclone;
  if (same_timeline(record, pg, kept) || before_switch(record, pg, kept))
    return rejoin_step::follow;
  // Another one of that number: a rewind, which compares numbers, would find nothing to do.
  const bool namesake =
    (pg.timeline == record.timeline && !made_by(record.maker, pg, kept))
    || (pg.timeline == record.parent && !made_by(record.parent_maker, pg, kept));
  if (namesake || pg.timeline == record.timeline)
    return rejoin_step::reclone;
  if (!may_rewind)
    return rejoin_step::reclone;
  return source_timeline == record.timeline ? rejoin_step::rewind
                                            : rejoin_step::wait_for_checkpoint;
}

} // namespace harmony::failover

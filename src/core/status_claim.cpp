#include "core/status_claim.hpp"

#include <algorithm>

namespace harmony {

claim_act status_claim::look(const status_seen& seen) {
  if (seen.boot_id == own_)
    return look_at_own(seen);
  if (!seen.boot_id.empty() && (other_ == seen.boot_id || (written_ && seen.revision > *written_)))
    return look_at_foreign(seen);
  // Nothing, rubbish, an earlier run's or an older copy: this run's to write, but a yielder leaves
  // that to the holder.
  return yields() ? sign_missed(yielder_patience) : claim_act::write;
}

claim_act status_claim::look_at_own(const status_seen& seen) {
  if (!seen.contender.empty() && seen.contender != own_) {
    other_ = seen.contender;
    missed_ = 0;
    return claim_act::write;
  }
  if (other_ && sign_missed(holder_patience) == claim_act::write)
    return claim_act::write;
  return seen.same_document ? claim_act::none : claim_act::write;
}

claim_act status_claim::look_at_foreign(const status_seen& seen) {
  if (other_ != seen.boot_id) {
    other_ = seen.boot_id;
    missed_ = 0;
    since_mark_ = mark_every;
  }
  if (!yields()) {
    missed_ = 0;
    return claim_act::write;
  }
  // A mark, of this run or of a third one, that nobody takes away. Only an unmarked document is
  // marked, so one that moved was taken away in between.
  if (!seen.contender.empty() && seen.revision == marked_)
    return sign_missed(yielder_patience);
  missed_ = 0;
  marked_ = seen.contender.empty() ? 0 : seen.revision;
  if (marked_ != 0)
    return claim_act::none;
  if (++since_mark_ < mark_every)
    return claim_act::none;
  since_mark_ = 0;
  return claim_act::mark;
}

/// The other showed no sign: once too often, it is gone.
claim_act status_claim::sign_missed(unsigned patience) {
  if (++missed_ < patience)
    return claim_act::none;
  other_.reset();
  missed_ = 0;
  return claim_act::write;
}

std::optional<condition> duplicate_condition(const status_claim& claim, const std::string& agent,
                                             const std::vector<condition>& conditions) {
  condition c{"DuplicateAgent", condition_state::false_, "Alone", "the other agent is gone", {}};
  if (claim.other()) {
    c.status = condition_state::true_;
    c.reason = claim.yields() ? "Yielding" : "Holding";
    c.message = "another agent goes by the id '" + agent + "': its boot id is '" + *claim.other()
                + "', this one's is '" + claim.own() + "', and "
                + (claim.yields() ? "the other" : "this one")
                + " writes the status; stop one of them or give it another agent-id";
  }
  const auto said = std::find_if(conditions.begin(), conditions.end(),
                                 [&](const condition& each) { return each.type == c.type; });
  const bool news =
    said == conditions.end() ? claim.other().has_value() : said->message != c.message;
  return news ? std::optional{std::move(c)} : std::nullopt;
}

} // namespace harmony

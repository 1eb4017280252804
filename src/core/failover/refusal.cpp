#include "core/failover/refusal.hpp"

#include <array>
#include <cstddef>

namespace harmony::failover {

namespace {

struct row {
  std::string_view word;
  std::string_view text;
  bool may_override;
};

// In the order of the enumeration.
constexpr std::array<row, 22> rows{{
  {"", "", false},
  {"StoreUnreachable",
   "The store does not answer. The lease cannot be seen; it is tried again all the time. Check the "
   "network and nats-server.",
   false},
  {"NoCluster",
   "There is no lease record, and this member may not create the first one; nobody may where one "
   "was deleted. Start a member that knows the record; or delete both streams of the cluster and "
   "start the one that has the data, with bootstrap allowed.",
   false},
  {"WindowRunning", "The primary's lease may still be valid. Wait.", false},
  {"SuccessorFirst", "The lease was handed over to another member, who goes first. Wait.", false},
  {"Paused", "An operator has paused failover. To allow it again: resume.", true},
  {"DuplicateNode",
   "Another agent that is alive has this member's name. Give one of them another name and restart "
   "it.",
   false},
  {"GuardUnhealthy",
   "harmony-pgguard does not answer: nobody would stop PostgreSQL if this agent hung. Check its "
   "unit.",
   false},
  {"NumbersExhausted",
   "An epoch or a timeline is at the end of its range: a member or the record tells of a wrong "
   "number. Find which; the agents forget it when they are restarted.",
   false},
  {"NotAStandby", "PostgreSQL does not run as a standby. Its log says why.", false},
  {"DataDamaged",
   "A rewind broke off and left the data unusable. They are cloned again from the "
   "next primary.",
   false},
  {"SystemIdDiffers",
   "The data directory belongs to another PostgreSQL cluster. Name the right one, or reinit this "
   "member.",
   false},
  {"TimelineForked",
   "This member has written what the cluster's history does not have. It is rewound or cloned from "
   "the next primary.",
   false},
  {"TimelineBehind",
   "This member is more than one promotion behind, and cannot know whether its data are a part of "
   "the cluster's. It catches up with the next primary.",
   true},
  {"PrimaryStillStreams",
   "The old primary still sends its log, although its lease has run out: it lives, and its guard "
   "has failed. Stop it.",
   false},
  {"LogNotReplayed",
   "PostgreSQL has started anew and replays its own log: how far it goes is not known before the "
   "end. Wait; if its replay is paused, resume it.",
   false},
  {"NotAMember",
   "This member is not in the synchronous set: acknowledged commits may be missing here. Start a "
   "member of the set, or failover --allow-data-loss.",
   true},
  {"QuorumMissing",
   "Too few synchronous members are alive to know that no acknowledged commit is missing. Start "
   "another one, or failover --allow-data-loss.",
   true},
  {"OthersHaveMore", "A member that is alive has received more than this one. It goes first.",
   true},
  {"LagTooLarge",
   "This member is behind the primary by more than maxLag. Start a member that is not, or failover "
   "--allow-data-loss.",
   true},
  {"PriorityZero", "Its priority is 0: it is never promoted by itself.", true},
  {"Outranked", "A better member goes first; this one follows if that one does not. Wait.", false},
}};

constexpr const row& of(refusal r) {
  return rows[static_cast<std::size_t>(r)];
}

} // namespace

std::string_view word_of(refusal r) noexcept {
  return of(r).word;
}

std::string_view text_of(refusal r) noexcept {
  return of(r).text;
}

bool may_override(refusal r) noexcept {
  return of(r).may_override;
}

} // namespace harmony::failover

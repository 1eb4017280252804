#pragma once

#include "apps/ctl/plan.hpp"
#include "apps/ctl/session.hpp"

namespace harmony::ctl {

/// What became of one manifest.
struct publication {
  manifest_plan plan;
  bool written = false; ///< false: the store holds the same content already, or it was a dry run
  bool unchanged = false;
  bool cosigned = false; ///< what was there got signatures, and kept its generation
};

struct publish_request {
  manifest value;                 ///< its generation and issuedAt are replaced, unless it is sealed
  std::optional<envelope> sealed; ///< that it came in
  std::vector<secret_key> keys;   ///< sign what is written
  bool force = false;   ///< write although nothing changed, or what is there cannot be read
  bool dry_run = false; ///< compute, and write nothing
  timestamp now;
};

/// Makes `value` the desired state of its agent: stamps it with the generation after the newest one
/// that the store or the agent has seen, and writes it by compare-and-set. When somebody else wrote
/// in between, it starts again, a bounded number of times; then it fails with `conflict`.
///
/// What is signed already is written as it is: fails with generation_regressed where its generation
/// is none of the next. Where the same content is there already, and not signed by all of `keys`,
/// it gets their signatures under the generation that it has. Nothing unsigned is written over what
/// is signed (unsigned_document), unless by force.
outcome<publication> publish(store& to, const publish_request& request, const budget& time);

} // namespace harmony::ctl

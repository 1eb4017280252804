#pragma once

#include "apps/ctl/plan.hpp"
#include "apps/ctl/session.hpp"

namespace harmony::ctl {

/// What became of one manifest.
struct publication {
  manifest_plan plan;
  bool written = false; ///< false: the store holds the same content already, or it was a dry run
  bool unchanged = false;
};

struct publish_request {
  manifest value;       ///< its generation and issuedAt are replaced
  bool force = false;   ///< write although nothing changed, or what is there cannot be read
  bool dry_run = false; ///< compute, and write nothing
  timestamp now;
};

/// Makes `value` the desired state of its agent: stamps it with the generation after the newest one
/// that the store or the agent has seen, and writes it by compare-and-set. When somebody else wrote
/// in between, it starts again, a bounded number of times; then it fails with `conflict`.
outcome<publication> publish(store& to, const publish_request& request, const budget& time);

} // namespace harmony::ctl

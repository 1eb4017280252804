#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "apps/agent/options.hpp"
#include "core/redaction.hpp"
#include "state/state_dump.hpp"

namespace harmony {

/// A file of a bundle.
struct bundle_file {
  std::string name; ///< relative
  std::string content;
};

/// Pure: the state database's files of a bundle. `secrets` learns what the manifests hold.
std::vector<bundle_file> bundle_of(const state_dump& state, redactor& secrets);

/// Writes what is needed to find a fault from afar as one tar.gz, without secrets, for root alone.
/// Says on `out` where it is, on `err` why there is none. Gives the exit code: 0 or 1. Changes
/// nothing else, and needs neither a store nor a running agent.
int write_support_bundle(const bundle_request& what, std::ostream& out, std::ostream& err);

} // namespace harmony

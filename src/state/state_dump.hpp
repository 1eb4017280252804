#pragma once

#include <string>
#include <vector>

#include "model/outcome.hpp"
#include "state/state_store.hpp"

namespace harmony {

/// What a state database holds, for a person who looks for a fault.
struct state_dump {
  std::string schema; ///< as SQL, with its version
  /// A table but the one of the manifests; each row's columns in the order of the schema.
  struct table {
    std::string name;
    std::vector<std::string> columns;
    std::vector<std::vector<std::string>> rows;
  };
  std::vector<table> tables;
  std::vector<accepted_manifest> accepted; ///< newest first
};

/// Reads the database in `folder` beside an agent that uses it, and changes nothing. Fails with
/// not_found, permission_denied or io_error.
outcome<state_dump> dump_state(const std::string& folder);

} // namespace harmony

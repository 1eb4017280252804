#pragma once

// What the device's own memory says of former manifests, as far as they may run here: a database
// that somebody put in place, or whose signers are not trusted any more, says nothing.

#include <optional>
#include <set>

#include "core/admission.hpp"
#include "state/state_store.hpp"

namespace harmony {

/// The newest manifest that converged; nothing where there is none that may run.
std::optional<admission_accepted> last_converged(const state_store& memory,
                                                 const admission_terms& terms);

/// What this agent owns, `next` does not name, and the newest manifest that did wants to stay.
/// Where there is a manifest that may not be read, what none of the others names stays too:
/// removing is the one thing that cannot be undone.
std::set<resource_id> retained_leftovers(const state_store& memory, const admission_terms& terms,
                                         const manifest& next);

} // namespace harmony

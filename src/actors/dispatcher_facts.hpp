#pragma once

// What the dispatcher reads from its own state; for dispatcher.cpp alone.

#include <memory>
#include <string>
#include <vector>

#include "actors/dispatcher.hpp"

namespace harmony {

/// What `id` waits for before it may be applied first.
ev::dependencies needs_of(const dispatcher_state& s, const resource_id& id);

/// What the aggregator must see current before all has converged.
std::shared_ptr<expectation> expected_of(const manifest& m);

/// Remembers who hangs together, by the dependencies as they are now.
void connect_neighbours(dispatcher_state& s);

/// Whether `id` has to wait for something that is being fetched.
bool is_held(dispatcher_state& s, const resource_id& id);

/// The resources whose desire is another than their supervisors know.
std::vector<const resource*> new_desires(const dispatcher_state& s, const expectation& expected);

/// Every resource that it knows.
std::vector<resource_id> known_ids(const dispatcher_state& s);

} // namespace harmony

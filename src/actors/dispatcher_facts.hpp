#pragma once

// What the dispatcher reads from its own state; for dispatcher.cpp alone.

#include <memory>
#include <set>
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

/// Whether something that `from` comes after, or one of those does, is `to`.
bool comes_after(const dispatcher_state& s, const resource_id& from, const resource_id& to);

/// The folders on their way out in which something of another resource still lies that is to go
/// too: of one that leaves, or the former place of one that moved. They go after it; before, they
/// would be found not to be empty, and stay.
std::set<resource_id> folders_in_use(const dispatcher_state& s);

/// Every resource that it knows.
std::vector<resource_id> known_ids(const dispatcher_state& s);

} // namespace harmony

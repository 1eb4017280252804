#pragma once

#include <string>

#include "actors/status_aggregator.hpp"

// What a status says in words of what its aggregator knows.
namespace harmony {

[[nodiscard]] bool is_ready(const resource_standing& s);

/// The condition `Ready` of the document as it stands.
[[nodiscard]] condition ready_condition(const status_aggregator_state& s);

/// What keeps the generation from being ready, for a person; empty where only rejected resources
/// do: those the manifest is to be corrected for, and the others are in place.
[[nodiscard]] std::string laggards(const status_aggregator_state& s);

/// Sets a condition of the document, as of now and of the observed generation.
void set(status_aggregator_state& s, std::string type, bool holds, std::string reason,
         std::string message);

/// Says which resources an operator holds, once there were any.
void tell_holds(status_aggregator_state& s);

} // namespace harmony

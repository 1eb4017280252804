#pragma once

#include "soak/bed.hpp"

namespace harmony::soak {

// What happens to the device. Each does one thing of its sort, chosen by chance, and counts it.

void change_desire(bed& b);
void drift(bed& b);
void command(bed& b);
/// Ends with the server reachable and the agent running. `lethal`: the agent may be ended too.
void fault(bed& b, bool lethal);

/// The quiet phase: nothing impossible is desired any more, all holds end, and then what was
/// promised is asserted: convergence, that everything is in place, an idle plan. Measures.
void rest(bed& b);

void pause(std::chrono::milliseconds time);

} // namespace harmony::soak

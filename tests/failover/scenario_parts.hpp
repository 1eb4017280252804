#pragma once

#include <string>
#include <vector>

#include "failover/cluster_bed.hpp"

namespace harmony::test {

/// `harmonyctl failover WORDS`, which must succeed.
void ctl_ok(const cluster_bed& bed, std::vector<std::string> words);

bed_member& standby_of(cluster_bed& bed, const bed_member& primary);

/// All but this one, in their order.
std::vector<bed_member*> others_than(cluster_bed& bed, const bed_member& one);

/// Waits until the agent of `m` says `text` of it; fails with what it says else.
void await_words(const cluster_bed& bed, const bed_member& m, const std::string& text,
                 std::chrono::seconds limit = std::chrono::seconds{20});

/// The timeline that it writes, as PostgreSQL names it; empty where it does not write.
std::string timeline_of(const bed_member& m);

/// No new connection from another member reaches its PostgreSQL, until the door is opened; with
/// `cut`, those that there are end as well.
void close_door(bed_member& m, bool cut);
void open_door(bed_member& m);

} // namespace harmony::test

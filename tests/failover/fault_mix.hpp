#pragma once

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "failover/load.hpp"

namespace harmony::test {

/// Faults of a seeded random mix on a cluster: members lose their power, agents and PostgreSQLs are
/// killed or frozen, links cut, the store is started again, operators switch over. Two of them
/// overlap at most. The choices are those of the seed; their moments are the machine's.
class fault_mix {
public:
  fault_mix(cluster_bed& bed, std::uint64_t seed);

  /// For so long; then all is mended.
  void run(std::chrono::seconds duration);

  [[nodiscard]] std::size_t faults() const { return record_.size(); }
  /// A line a fault, with the seconds since the beginning.
  [[nodiscard]] std::string record() const;

private:
  /// What ends a fault.
  struct repair {
    failover::instant due;
    const bed_member* of; ///< nobody: the store's
    std::function<void()> mend;
  };

  void begin_one();
  bool strike(bed_member& m, int kind);
  void store_away();
  void later(const bed_member* of, std::function<void()> mend);
  void mend_due(bool all);
  void note(const std::string& what);
  int draw(int below);

  cluster_bed& bed_;
  std::mt19937_64 dice_;
  failover::instant began_;
  std::vector<repair> repairs_;
  std::vector<std::string> record_;
};

} // namespace harmony::test

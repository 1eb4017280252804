#include "scenario.hpp"

#include <algorithm>

namespace harmony::test {

bool scenario_kind::reaches(const std::string& point) const {
  return std::any_of(points.begin(), points.end(),
                     [&](const std::string& each) { return point.starts_with(each); });
}

const std::vector<scenario_kind>& scenarios() {
  static const std::vector<scenario_kind> all{workloads(), nats_workloads(), remote_content(),
                                              packages(), network_links()};
  return all;
}

} // namespace harmony::test

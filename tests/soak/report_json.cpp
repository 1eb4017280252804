#include <algorithm>

#include <nlohmann/json.hpp>

#include "soak/report.hpp"

namespace harmony::soak {

namespace {

using nlohmann::json;

json json_of(const gap_list& of) {
  return {{"count", of.gaps.size()}, {"medianMs", of.at(0.5)}, {"p99Ms", of.at(0.99)},
          {"p999Ms", of.at(0.999)},  {"longestMs", of.at(1)},  {"returnsMs", of.returns}};
}

json json_of(const line_fit& of) {
  return {{"kibAMinute", of.slope}, {"standardError", of.error}, {"samples", of.points}};
}

json json_of(const figures& of) {
  return {
    {"minutes", of.minutes}, {"pssKib", of.pss_kib},          {"anonymousKib", of.anonymous_kib},
    {"rssKib", of.rss_kib},  {"descriptors", of.descriptors}, {"threads", of.threads}};
}

} // namespace

std::string report::to_json(std::uint64_t seed) const {
  json out{{"seed", seed},
           {"minutes", minutes()},
           {"operations", operations()},
           {"counts", counts_},
           {"trace", trace_},
           {"convergencesMs", convergences_},
           {"loads", loads_},
           {"heartbeats",
            {{"periodMs", period_ms_},
             {"agent", json_of(beats_.agent)},
             {"control", json_of(beats_.control)},
             {"late", beats_.late},
             {"unexplained", beats_.unexplained.size()}}},
           {"lives", json::array()},
           {"violations", json::array()}};
  for (const auto& row : growths_) {
    json samples = json::array();
    for (const auto& s : row.all)
      samples.push_back(json_of(s));
    out["lives"].push_back({{"minutes", row.minutes},
                            {"rss", json_of(row.rss)},
                            {"anonymous", json_of(row.anonymous)},
                            {"descriptorGrowth", row.descriptors},
                            {"threadGrowth", row.threads},
                            {"samples", std::move(samples)}});
  }
  for (const auto& each : violations_)
    out["violations"].push_back({{"minute", each.minute}, {"what", each.text}});
  return out.dump(2) + "\n";
}

} // namespace harmony::soak

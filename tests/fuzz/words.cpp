// The small grammars: times, durations, ids, addresses.

#include "apps/ctl/durations.hpp"
#include "fuzz.hpp"
#include "model/ids.hpp"
#include "model/manifest.hpp"
#include "topology/network_address.hpp"

namespace harmony::fuzz {

void take(std::string_view bytes) {
  if (const auto time = parse_time(bytes))
    require(parse_time(format_time(*time)) == time, "a time survives writing and reading");
  if (const auto duration = ctl::parse_duration(bytes))
    require(duration->count() >= 0 && *duration <= std::chrono::hours{24 * 365},
            "a duration is at most a year");
  resource_id id;
  if (parse_resource_id(bytes, id))
    require(id.str() == bytes && is_name(id.name), "an id is written as it was read");
  if (const auto address = canonical_address(bytes))
    require(*canonical_address(*address) == *address, "a canonical address is its own");
  const auto space = bytes.find(' ');
  network_route route;
  route.to = bytes.substr(0, space);
  if (space != std::string_view::npos)
    route.via = bytes.substr(space + 1);
  if (const auto canonical = canonical_route(route)) {
    const auto again = canonical_route(*canonical);
    require(again && *again == *canonical, "a canonical route is its own");
    is_ipv6(*canonical);
  }
}

} // namespace harmony::fuzz

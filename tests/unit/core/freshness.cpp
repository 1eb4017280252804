#include "core/freshness.hpp"

#include "support/catch.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;
using Catch::Matchers::Contains;

const timestamp noon = *parse_time("2026-11-27T12:00:00Z");

manifest_metadata dated(const std::string& issued, const std::string& expires) {
  manifest_metadata m;
  m.agent = "pi-1";
  m.generation = 7;
  if (!issued.empty())
    m.issued_at = parse_time(issued);
  if (!expires.empty())
    m.expires_at = parse_time(expires);
  return m;
}

TEST_CASE("freshness: issue, expiry and clock -> the table") {
  struct row {
    const char* issued;
    const char* expires;
    const char* now;
    freshness wanted;
  };
  for (const auto& r : {
         row{"", "", "1970-01-01T00:00:30Z", freshness::lasting},
         row{"2026-01-01T00:00:00Z", "", "2040-01-01T00:00:00Z", freshness::lasting},
         row{"", "2026-12-01T00:00:00Z", "2026-11-30T23:59:59.999Z", freshness::fresh},
         row{"", "2026-12-01T00:00:00Z", "2026-12-01T00:00:00Z", freshness::expired},
         row{"2026-01-01T00:00:00Z", "2026-12-01T00:00:00Z", "2026-01-01T00:00:00Z",
             freshness::fresh},
         // Before it was issued, or before the program was: the clock is wrong.
         row{"2026-06-01T00:00:00Z", "2026-12-01T00:00:00Z", "2026-05-31T00:00:00Z",
             freshness::unknown},
         row{"", "2026-12-01T00:00:00Z", "1970-01-01T00:00:30Z", freshness::unknown},
         row{"", "2026-12-01T00:00:00Z", "2024-12-31T23:59:59Z", freshness::unknown},
         row{"", "2026-12-01T00:00:00Z", "2025-01-01T00:00:00Z", freshness::fresh},
         // What is past at a clock that is late is past.
         row{"", "2020-01-01T00:00:00Z", "1970-01-01T00:00:30Z", freshness::expired},
         row{"2026-01-01T00:00:00Z", "2025-06-01T00:00:00Z", "2025-07-01T00:00:00Z",
             freshness::expired},
       }) {
    CAPTURE(r.issued, r.expires, r.now);
    CHECK(freshness_of(dated(r.issued, r.expires), *parse_time(r.now)) == r.wanted);
  }
}

TEST_CASE("freshness: the condition DesiredStale -> of what is in force, or of what was refused") {
  const auto lasting = dated("", ""), fresh = dated("", "2030-01-01T00:00:00Z"),
             past = dated("", "2026-01-01T00:00:00Z");
  const failure expired{ec::expired, "x"}, other{ec::wrong_agent, "x"};
  CHECK_FALSE(stale_condition(nullptr, nullptr, noon));
  CHECK_FALSE(stale_condition(&lasting, nullptr, noon));
  CHECK_FALSE(stale_condition(&lasting, &other, noon));
  CHECK(stale_condition(&fresh, &other, noon)->status == condition_state::false_);
  CHECK(stale_condition(&past, nullptr, noon)->status == condition_state::true_);
  CHECK(stale_condition(&past, nullptr, noon)->observed_generation == 7);
  CHECK_THAT(stale_condition(&past, nullptr, noon)->message,
             Contains("generation 7 expired at 2026-01-01T00:00:00.000Z and keeps running"));
  CHECK_THAT(stale_condition(&fresh, &expired, noon)->message, Contains("generation 7 keeps"));
  CHECK_THAT(stale_condition(nullptr, &expired, noon)->message, Contains("nothing is in force"));
  CHECK(stale_condition(&fresh, nullptr, timestamp{30s})->status == condition_state::unknown);
}

} // namespace

} // namespace harmony::test

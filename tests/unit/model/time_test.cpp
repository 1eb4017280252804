#include "model/manifest.hpp"
#include "support/catch.hpp"

namespace harmony {

namespace {

std::string normal(std::string_view text) {
  const auto t = parse_time(text);
  return t ? format_time(*t) : "none";
}

TEST_CASE("time: RFC 3339 -> in UTC with milliseconds") {
  CHECK(normal("2026-01-31T12:00:00Z") == "2026-01-31T12:00:00.000Z");
  CHECK(normal("2026-01-31t12:00:00z") == "2026-01-31T12:00:00.000Z");
  CHECK(normal("2026-01-31T12:00:00.5Z") == "2026-01-31T12:00:00.500Z");
  CHECK(normal("2026-01-31T12:00:00.123456789Z") == "2026-01-31T12:00:00.123Z");
  CHECK(normal("2026-01-31T12:00:00+01:30") == "2026-01-31T10:30:00.000Z");
  CHECK(normal("2026-01-31T23:30:00-01:00") == "2026-02-01T00:30:00.000Z");
  CHECK(normal("2024-02-29T00:00:00Z") == "2024-02-29T00:00:00.000Z");
  CHECK(normal("1969-12-31T23:59:59.999Z") == "1969-12-31T23:59:59.999Z");
  CHECK(normal("0000-01-01T00:00:00Z") == "0000-01-01T00:00:00.000Z");
  CHECK(normal("9999-12-31T23:59:59.999Z") == "9999-12-31T23:59:59.999Z");
}

TEST_CASE("time: known instant -> its count") {
  CHECK(parse_time("2001-09-09T01:46:40Z")->time_since_epoch() == std::chrono::seconds{1000000000});
}

TEST_CASE("time: anything else -> nothing") {
  const auto bad = GENERATE(
    as<std::string>{}, "", "now", "2026-01-31", "2026-01-31T12:00:00", "2026-01-31 12:00:00Z",
    "2026-1-31T12:00:00Z", "2026-02-29T12:00:00Z", "2026-13-01T12:00:00Z", "2026-00-01T12:00:00Z",
    "2026-01-00T12:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z", "2026-01-31T12:00:60Z",
    "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00.1234567890Z", "2026-01-31T12:00:00+1:00",
    "2026-01-31T12:00:00+24:00", "2026-01-31T12:00:00+01:60", "2026-01-31T12:00:00Zx",
    "0000-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "-026-01-31T12:00:00Z");
  CHECK_FALSE(parse_time(bad));
}

TEST_CASE("time: beyond four-digit years -> the nearest that can be written") {
  CHECK(format_time(timestamp::max()) == "9999-12-31T23:59:59.999Z");
  CHECK(format_time(timestamp::min()) == "0000-01-01T00:00:00.000Z");
}

} // namespace

} // namespace harmony

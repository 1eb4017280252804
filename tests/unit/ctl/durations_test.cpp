#include "apps/ctl/durations.hpp"
#include "core/age.hpp"

#include "support/catch.hpp"

namespace harmony::ctl {

namespace {

using std::chrono::milliseconds;

TEST_CASE("parse_duration: text -> milliseconds, or nothing") {
  struct row {
    const char* text;
    std::int64_t milliseconds; ///< -1: refused
  };
  const auto given = GENERATE(values<row>({
    {"30s", 30'000},
    {"30", 30'000},
    {"0", 0},
    {"500ms", 500},
    {"2m", 120'000},
    {"1h30m", 5'400'000},
    {"1d", 86'400'000},
    {"1m500ms", 60'500},
    {"365d", 31'536'000'000},
    {"366d", -1},
    {"", -1},
    {"s", -1},
    {"-1s", -1},
    {"1 s", -1},
    {"1x", -1},
    {"1s2", -1},
    {"1.5s", -1},
    {"99999999999999999999", -1},
    {"9223372036854775807d", -1},
  }));
  CAPTURE(given.text);
  const auto got = parse_duration(given.text);
  CHECK((got ? got->count() : -1) == given.milliseconds);
}

TEST_CASE("format_age: a duration -> at most two units") {
  struct row {
    std::int64_t milliseconds;
    const char* text;
  };
  const auto given = GENERATE(values<row>({
    {-5'000, "0s"},
    {0, "0s"},
    {999, "0s"},
    {3'400, "3s"},
    {59'999, "59s"},
    {60'000, "1m"},
    {130'000, "2m10s"},
    {3'600'000, "1h"},
    {18'720'000, "5h12m"},
    {86'400'000, "1d"},
    {273'600'000, "3d4h"},
    {86'460'000, "1d"},
  }));
  CHECK(format_age(milliseconds{given.milliseconds}) == given.text);
}

} // namespace

} // namespace harmony::ctl

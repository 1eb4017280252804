#include "core/failover/timings.hpp"

#include "support/catch.hpp"

namespace harmony::failover::test {

namespace {

using namespace std::chrono_literals;

std::string only(const std::vector<failure>& all) {
  return all.size() == 1 ? all.front().message : std::to_string(all.size()) + " failures";
}

TEST_CASE("timings: the profiles -> hold every inequality") {
  CHECK(validate(fast_profile()).empty());
  CHECK(validate(normal_profile()).empty());
  CHECK(profile("fast").value() == fast_profile());
  CHECK(profile("normal").value() == normal_profile());
  CHECK(profile("slow").error().code == ec::invalid_spec);
  CHECK(fast_profile().ridden_out() == 1s);
  CHECK(normal_profile().ridden_out() == 11s);
}

TEST_CASE("timings: a window that the clocks may outrun -> named, with the figures") {
  auto t = fast_profile();
  t.window = 3160ms;
  CHECK(only(validate(t))
        == "timings: window >= lease·(1 + clockError)/(1 - clockError) + 100 ms does not hold: "
           "3160 ms < 3160 ms; another member could take over while the old primary may still "
           "write. Make window longer (lease + 500 ms), or lease shorter");
  t.window = 3161ms;
  CHECK(validate(t).empty());
}

TEST_CASE("timings: one lost answer would stop a primary -> named, with the figures") {
  auto t = fast_profile();
  t.request = 501ms;
  CHECK(only(validate(t))
        == "timings: renew + 2·request <= lease - kill - stop does not hold: 1502 ms > 1500 ms; "
           "one lost answer would stop a healthy primary. Make lease longer, or renew or request "
           "shorter");
}

TEST_CASE("timings: beats as far apart as the window -> named") {
  timings t;
  t.lease = 10s;
  t.window = 11s;
  t.renew = 3s;
  CHECK(only(validate(t)).substr(0, 52) == "timings: 4·renew <= window does not hold: 12000 ms ");
}

TEST_CASE("timings: nothing, or a clock that cannot be -> each named") {
  timings t;
  t.kill = 0ms;
  t.renew = -1ms;
  t.clock_error = 0.2;
  CHECK(validate(t).size() == 3);
}

} // namespace

} // namespace harmony::failover::test

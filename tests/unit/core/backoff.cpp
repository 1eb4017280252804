#include "core/backoff.hpp"

#include <limits>

#include "support/catch.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;

constexpr double neutral = 0.5;

TEST_CASE("backoff: failures in a row -> doubles from a second to five minutes") {
  const backoff_policy policy;
  CHECK(retry_delay(policy, 0, neutral) == 0s);
  std::uint32_t failures = 0;
  for (const auto expected : {1s, 2s, 4s, 8s, 16s, 32s, 64s, 128s, 256s, 300s, 300s}) {
    INFO("failures " << ++failures);
    CHECK(retry_delay(policy, failures, neutral) == expected);
  }
}

TEST_CASE("backoff: any count -> saturates") {
  const backoff_policy policy;
  for (const auto failures : {64U, 65U, 1000U, std::numeric_limits<std::uint32_t>::max()})
    CHECK(retry_delay(policy, failures, neutral) == 300s);
}

TEST_CASE("backoff: odd policies -> neither overflow nor a long loop") {
  constexpr auto many = std::numeric_limits<std::uint32_t>::max();
  backoff_policy policy;
  SECTION("a cap near the end of time") {
    policy.cap = duration::max() / 2;
    CHECK(retry_delay(policy, many, neutral) > std::chrono::hours{24});
  }
  SECTION("no base") {
    policy.base = 0s;
    CHECK(retry_delay(policy, many, neutral) == 0s);
  }
  SECTION("a base over the cap") {
    policy.base = 400s;
    CHECK(retry_delay(policy, 1, neutral) == 300s);
  }
}

TEST_CASE("backoff: jitter -> spreads by a tenth each way, and no more") {
  const backoff_policy policy;
  for (const std::uint32_t failures : {1U, 4U, 20U}) {
    const auto middle = retry_delay(policy, failures, neutral);
    const auto nearly = [](duration d, duration expected) {
      return d > expected - 1us && d < expected + 1us;
    };
    CHECK(nearly(retry_delay(policy, failures, 0.0), middle * 9 / 10));
    CHECK(nearly(retry_delay(policy, failures, 1.0), middle * 11 / 10));
    auto before = duration::zero();
    for (const double jitter : {-3.0, 0.0, 0.1, 0.3, 0.7, 0.99, 1.0, 17.0}) {
      const auto delay = retry_delay(policy, failures, jitter);
      CHECK(delay >= before);
      CHECK(delay >= middle * 9 / 10 - 1us);
      CHECK(delay <= middle * 11 / 10 + 1us);
      before = delay;
    }
  }
}

TEST_CASE("backoff: no spread -> the same whatever the jitter") {
  backoff_policy policy;
  policy.spread = 0;
  CHECK(retry_delay(policy, 3, 0.0) == 4s);
  CHECK(retry_delay(policy, 3, 0.99) == 4s);
}

} // namespace

} // namespace harmony::test

#include "core/alarm.hpp"

#include <map>

#include "support/catch.hpp"
#include "unit/core/world.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;
using ring = alarm::ring;

instant at(duration d) {
  return instant{} + d;
}

} // namespace

TEST_CASE("alarm: set -> one message, which is due") {
  alarm a;
  CHECK(a.set(at(5s)) == at(5s));
  CHECK(a.rang(at(5s)) == ring{true, {}});
  CHECK(a.rang(at(6s)) == ring{false, {}});
}

TEST_CASE("alarm: set later while a message is under way -> none; that one asks for the next") {
  alarm a;
  CHECK(a.set(at(5s)) == at(5s));
  for (auto n = 6s; n < 100s; ++n)
    CHECK_FALSE(a.set(at(n)));
  CHECK(a.rang(at(5s)) == ring{false, at(99s)});
  CHECK(a.rang(at(99s)) == ring{true, {}});
}

TEST_CASE("alarm: set earlier -> a message of its own; the later one serves what is later") {
  alarm a;
  CHECK(a.set(at(600s)) == at(600s));
  CHECK(a.set(at(1s)) == at(1s));
  CHECK(a.rang(at(1s)) == ring{true, {}});
  CHECK_FALSE(a.set(at(700s)));
  CHECK(a.rang(at(600s)) == ring{false, at(700s)});
}

TEST_CASE("alarm: canceled -> its message finds nothing, and serves what is set meanwhile") {
  alarm a;
  CHECK(a.set(at(5s)) == at(5s));
  a.cancel();
  CHECK_FALSE(a.set(at(5s)));
  a.cancel();
  CHECK(a.rang(at(5s)) == ring{false, {}});
}

TEST_CASE("alarm: times at random -> never late, and few messages under way") {
  alarm a;
  dice d{GENERATE(1U, 2U, 3U)};
  std::multimap<instant, int> messages;
  std::optional<instant> wanted;
  const auto send = [&](const std::optional<instant>& when) {
    if (when)
      messages.emplace(*when, 0);
  };
  auto now = at(0s);
  std::size_t most = 0;
  for (int n = 0; n < 5000; ++n) {
    if (d.below(8) == 0) {
      a.cancel();
      wanted.reset();
    } else {
      const auto far = d.below(2) == 0 ? duration{600s} : duration{15s};
      wanted = now + far;
      send(a.set(*wanted));
    }
    most = std::max(most, messages.size());
    const auto end = now + std::chrono::milliseconds{d.below(5000)};
    while (!messages.empty() && messages.begin()->first <= end) {
      now = messages.begin()->first;
      messages.erase(messages.begin());
      const auto came = a.rang(now);
      CHECK(came.due == (wanted && *wanted <= now));
      if (came.due)
        wanted.reset();
      send(came.send);
    }
    now = end;
    if (wanted)
      REQUIRE(*wanted > now);
  }
  CHECK(most <= 3);
}

} // namespace harmony::test

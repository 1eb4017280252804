#include "transport/reconnect_pace.hpp"

#include "support/catch.hpp"

namespace harmony::nats {

using namespace std::chrono_literals;

TEST_CASE("reconnect pace: no server is there -> doubled, never above what brings a device back "
          "within two seconds") {
  reconnect_pace pace;
  for (const auto expected : {100ms, 200ms, 400ms, 800ms, 1500ms, 1500ms, 1500ms})
    CHECK(pace.failed(false) == expected);
}

TEST_CASE("reconnect pace: a server turns the device away -> doubled further, to its own bound") {
  reconnect_pace pace;
  for (const auto expected : {100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 5000ms, 5000ms})
    CHECK(pace.failed(true) == expected);
  SECTION("gone then -> asked often again") {
    CHECK(pace.failed(false) == 1500ms);
  }
}

TEST_CASE("reconnect pace: lost connection -> soon, but later and later where none lives long") {
  reconnect_pace pace;
  CHECK(pace.lost(1h) == 100ms);
  CHECK(pace.lost(1h) == 100ms);
  for (const auto expected : {200ms, 400ms, 800ms, 1600ms, 3200ms, 5000ms})
    CHECK(pace.lost(20ms) == expected);
  CHECK(pace.lost(10s) == 100ms);
}

} // namespace harmony::nats

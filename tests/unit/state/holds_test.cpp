#include "state/state_store.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;

const resource_id a{"File", "a"};
const resource_id b{"File", "b"};
const timestamp now{1'000'000ms};

} // namespace

TEST_CASE("holds: of a resource -> it alone, until it ends") {
  const auto s = state_store::in_memory();
  CHECK_FALSE(s->held(a, now));
  REQUIRE(s->hold(a, {now + 60s, "why"}));
  CHECK(s->held(a, now) == resource_hold{now + 60s, "why"});
  CHECK_FALSE(s->held(b, now));
  CHECK_FALSE(s->held(a, now + 60s));
}

TEST_CASE("holds: of the device and of a resource -> the one that ends later") {
  const auto s = state_store::in_memory();
  REQUIRE(s->hold(a, {now + 60s, "short"}));
  REQUIRE(s->hold({}, {now + 90s, "all"}));
  CHECK(s->held(a, now)->reason == "all");
  CHECK(s->held(b, now)->reason == "all");
  REQUIRE(s->hold(a, {now + 600s, "long"}));
  CHECK(s->held(a, now)->reason == "long");
}

TEST_CASE("holds: ended -> of one resource, or all") {
  const auto s = state_store::in_memory();
  REQUIRE(s->hold(a, {now + 60s, ""}));
  REQUIRE(s->hold(b, {now + 60s, ""}));
  REQUIRE(s->hold({}, {now + 60s, ""}));
  CHECK(s->unhold(a).value() == 1);
  CHECK(s->unhold(a).value() == 0);
  CHECK(s->held(a, now)); // the device's
  CHECK(s->unhold({}).value() == 2);
  CHECK_FALSE(s->held(b, now));
}

TEST_CASE("holds: the store is opened again -> they are there") {
  const temp_dir folder;
  const auto path = (folder / "state").string();
  {
    auto opened = state_store::open(path);
    REQUIRE(opened);
    REQUIRE((*opened)->hold(a, {now + 60s, "why"}));
    REQUIRE((*opened)->hold({}, {now + 30s, ""}));
    REQUIRE((*opened)->unhold(b));
  }
  const auto again = state_store::open(path);
  REQUIRE(again);
  CHECK((*again)->held(a, now) == resource_hold{now + 60s, "why"});
  CHECK((*again)->held(b, now) == resource_hold{now + 30s, ""});
}

} // namespace harmony::test

#include "model/manifest.hpp"

#include "support/catch.hpp"
#include "unit/model/documents.hpp"

namespace harmony {

namespace {

using test::full_manifest;

TEST_CASE("manifest: every field set -> read without an issue") {
  const auto reading = read_manifest(full_manifest());
  for (const auto& each : reading.issues)
    FAIL_CHECK(each.path << ": " << each.message);
  REQUIRE(reading.value);
  CHECK(reading.value->rejected.empty());
  CHECK(reading.value->resources.size() == 6);
}

TEST_CASE("manifest: written -> reads back the same") {
  const auto m = read_manifest(full_manifest()).value;
  REQUIRE(m);
  const auto again = read_manifest(write_manifest(*m));
  REQUIRE(again.value);
  CHECK(*again.value == *m);
  CHECK(write_manifest(*again.value) == write_manifest(*m));
}

} // namespace

} // namespace harmony

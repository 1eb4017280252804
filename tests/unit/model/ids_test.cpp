#include "model/ids.hpp"

#include "support/catch.hpp"

namespace harmony {

namespace {

TEST_CASE("name: lower-case letters, digits and inner dashes, at most 63 -> a name") {
  CHECK(is_name("a"));
  CHECK(is_name("0"));
  CHECK(is_name("pi-0042"));
  CHECK(is_name("a--b"));
  CHECK(is_name(std::string(63, 'a')));
  for (const auto* bad : {"", "-a", "a-", "A", "a_b", "a.b", "a b", "é"})
    CHECK_FALSE(is_name(bad));
  CHECK_FALSE(is_name(std::string(64, 'a')));
}

TEST_CASE("resource id: Kind/name -> both; anything else -> left alone") {
  resource_id id;
  REQUIRE(parse_resource_id("File/motd", id));
  CHECK(id == resource_id{"File", "motd"});
  CHECK(id.str() == "File/motd");
  for (const auto* bad :
       {"", "File", "File/", "/motd", "Fi le/motd", "File/motd/x", "File/Motd", "F1/a"})
    CHECK_FALSE(parse_resource_id(bad, id));
  CHECK_FALSE(parse_resource_id(std::string(64, 'K') + "/a", id));
  CHECK(id == resource_id{"File", "motd"});
}

} // namespace

} // namespace harmony

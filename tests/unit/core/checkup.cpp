#include "core/checkup.hpp"

#include <nlohmann/json.hpp>

#include "support/catch.hpp"

namespace harmony {
namespace {

const findings mixed{{verdict::ok, "store", "answers", {}},
                     {verdict::warn, "disk", "40 MiB left", "free some"},
                     {verdict::fail, "clock", "is in 1970", "set it"}};

TEST_CASE("checkup: none -> ok; otherwise the worst counts") {
  CHECK(worst({}) == verdict::ok);
  CHECK(worst({mixed[0]}) == verdict::ok);
  CHECK(worst({mixed[1], mixed[0]}) == verdict::warn);
  CHECK(worst(mixed) == verdict::fail);
}

TEST_CASE("checkup: as text -> aligned, each remedy below its line, a sum at the end") {
  CHECK(text_of(mixed)
        == "OK   store  answers\n"
           "WARN disk   40 MiB left\n"
           "            -> free some\n"
           "FAIL clock  is in 1970\n"
           "            -> set it\n"
           "1 failure, 1 warning.\n");
  CHECK(text_of({mixed[0]}) == "OK   store  answers\nAll is well.\n");
  CHECK(text_of({mixed[1], mixed[1]}).find("\n2 warnings.\n") != std::string::npos);
}

TEST_CASE("checkup: as JSON -> the result and each check, whatever bytes a message has") {
  auto odd = mixed;
  odd[0].message = "\xff";
  const auto value = nlohmann::json::parse(write_findings(odd));
  CHECK(value["result"] == "FAIL");
  REQUIRE(value["checks"].size() == 3);
  CHECK(
    value["checks"][1]
    == nlohmann::json{
      {"check", "disk"}, {"result", "WARN"}, {"message", "40 MiB left"}, {"remedy", "free some"}});
}

} // namespace
} // namespace harmony

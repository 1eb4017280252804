#include "core/checkup.hpp"

#include <nlohmann/json.hpp>

#include "support/catch.hpp"

namespace harmony {
namespace {

const findings mixed{{verdict::ok, "store", "answers", {}},
                     {verdict::warn, "disk", "40 MiB left", "free some"},
                     {verdict::fail, "clock", "is in 1970", "set it"}};

TEST_CASE("checkup: what ends -> ok, warn in the last week, fail from the end on") {
  using namespace std::chrono;
  constexpr sys_seconds now{seconds{1'769'860'800}};
  const auto of = [&](std::optional<sys_seconds> end) {
    auto f = judge_end("x", "is well", end, now, "renew it");
    CHECK(f.remedy.empty() == (f.result == verdict::ok));
    return std::string{name_of(f.result)} + " " + f.message;
  };
  CHECK(of({}) == "OK is well, without an end");
  CHECK(of(now + hours{168}) == "OK is well, until 2026-02-07T12:00:00.000Z");
  CHECK(of(now + hours{168} - seconds{1}) == "WARN will end in 6d23h (2026-02-07T11:59:59.000Z)");
  CHECK(of(now) == "FAIL ended 0s ago (2026-01-31T12:00:00.000Z)");
  CHECK(of(now - hours{3}) == "FAIL ended 3h ago (2026-01-31T09:00:00.000Z)");
}

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

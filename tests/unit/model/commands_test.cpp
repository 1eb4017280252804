#include "model/commands.hpp"
#include "support/catch.hpp"

namespace harmony {

namespace {

template <class T>
void round_trip(const T& value) {
  const auto back = read_answer<T>(write_answer(value));
  INFO(write_answer(value));
  REQUIRE(back);
  CHECK(*back == value);
}

template <class T>
std::string fault(std::string_view text) {
  const auto read = read_request<T>(text);
  return read ? "" : read.error().message;
}

TEST_CASE("commands: answers -> read as written") {
  const timestamp noon{std::chrono::milliseconds{1769860800000}};
  round_trip(done_result{});
  round_trip(ping_result{"pi-1", "0123456789abcdef", "1.0", 7, 3, agent_phase::degraded});
  round_trip(explain_result{{{"pi-1", "Failed", "Failed for 2m", {"why", "more"}, "next"}}});
  round_trip(restart_result{4});
  round_trip(hold_result{noon});
  round_trip(unhold_result{2});
  round_trip(logs_result{{{noon, "a line"}, {noon, ""}}, "s=1;i=2"});
  round_trip(plan_result{{{{"File", "a"},
                           plan_step::replace,
                           "why",
                           {{"replace", "image", "a", "b"}, {"remove", "x", "", ""}}}}});
}

TEST_CASE("commands: requests -> read as written, an empty one is the default") {
  const hold_request hold{resource_id{"File", "a"}, 60, "maintenance"};
  CHECK(read_request<hold_request>(write_request(hold)).value() == hold);
  const logs_request logs{{"Container", "a"}, "c", 5, 20};
  CHECK(read_request<logs_request>(write_request(logs)).value() == logs);
  CHECK(read_request<hold_request>("").value() == hold_request{});
  CHECK(read_request<resource_request>("{}").value() == resource_request{});
}

TEST_CASE("commands: bad requests -> each its own fault") {
  CHECK(fault<resource_request>("[]")
        == "cannot read the command: expected an object, got an array of 0");
  CHECK(fault<resource_request>(R"({"resource":"motd"})").find("resource: expected") > 0);
  CHECK(fault<resource_request>(R"({"resorce":"File/a"})").find("did you mean 'resource'?")
        != std::string::npos);
  CHECK(fault<hold_request>(R"({"seconds":0})")
        == "cannot read the command: seconds: expected a whole number from 1 to 604800, got 0");
  CHECK(fault<hold_request>(R"({"seconds":604801})").find("604800") != std::string::npos);
  CHECK(fault<logs_request>("{}").find("resource: is missing") != std::string::npos);
  CHECK(fault<logs_request>(R"({"resource":"File/a","waitSeconds":31})").find("from 0 to 30")
        != std::string::npos);
  CHECK_FALSE(fault<logs_request>("{\"resource\":").empty());
}

TEST_CASE("commands: refusals -> the failure, its code by its reason") {
  const auto read = read_answer<ping_result>(write_refusal({ec::not_allowed, "no"}));
  REQUIRE_FALSE(read);
  CHECK(read.error() == failure{ec::not_allowed, "no"});
  const auto newer =
    read_answer<ping_result>(R"({"error":{"reason":"Unheard","message":"x","more":1}})");
  REQUIRE_FALSE(newer);
  CHECK(newer.error() == failure{ec::internal, "x"});
}

TEST_CASE("commands: rubbish for an answer -> invalid_document") {
  for (const auto* text : {"", "{", "[]", "{}", "{\"result\":[]}", "{\"error\":{}}", "\xff"}) {
    INFO(text);
    const auto read = read_answer<ping_result>(text);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == ec::invalid_document);
  }
}

TEST_CASE("commands: verbs -> by name, and those that only read") {
  CHECK(parse_verb("unhold") == command_verb::unhold);
  CHECK_FALSE(parse_verb("reboot"));
  CHECK_FALSE(parse_verb(""));
  for (const auto v :
       {command_verb::ping, command_verb::explain, command_verb::logs, command_verb::plan})
    CHECK(is_read_only(v));
  for (const auto v :
       {command_verb::resync, command_verb::restart, command_verb::hold, command_verb::unhold})
    CHECK_FALSE(is_read_only(v));
}

TEST_CASE("reasons: a word -> its code, internal for one that is none") {
  for (int i = 0; i <= static_cast<int>(ec::internal); ++i)
    CHECK(code_of_reason(reason_of(static_cast<ec>(i))) == static_cast<ec>(i));
  CHECK(code_of_reason("Nonsense") == ec::internal);
}

} // namespace

} // namespace harmony

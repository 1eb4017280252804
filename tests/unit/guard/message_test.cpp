#include "guard/message.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

using namespace harmony::guard;
using namespace std::chrono_literals;

TEST_CASE("guard message: each request -> read back the same") {
  for (const request& each :
       {request{arm{0, 1ns}}, request{arm{18446744073709551615U, 9'223'372'036'854'775'807ns}},
        request{start{true}}, request{start{false}}, request{promote{}}, request{stop{}},
        request{release{}}, request{status{}}}) {
    INFO(write_request(each));
    CHECK(read_request(write_request(each)) == each);
  }
  CHECK(write_request(arm{7, 1500ns}) == "arm 7 1500");
}

TEST_CASE("guard message: what is no request -> none") {
  for (const auto* each :
       {"", " ", "arm", "arm 1", "arm 1 2 3", "arm 1 -2", "arm -1 2", "arm 1 2 ", "arm 1 2x",
        "arm 1 9223372036854775808", "arm 18446744073709551616 1", "start", "start primary ",
        "start Primary", "stop fast", "status\n", "kill"}) {
    INFO("'" << each << "'");
    CHECK_FALSE(read_request(each));
  }
}

TEST_CASE("guard message: each report -> read back the same") {
  report r;
  for (const auto kind : {report::kind::hello, report::kind::ok, report::kind::changed}) {
    r.what = kind;
    CHECK(read_report(write_report(r)) == r);
  }
  r = {report::kind::refused,
       refusal::no_lease,
       phase::killing,
       4711,
       12,
       99s,
       ending::unlicensed,
       137,
       "state=x, and so on"};
  CHECK(read_report(write_report(r)) == r);
  for (int i = 0; i <= static_cast<int>(refusal::unintelligible); ++i) {
    r.why = static_cast<refusal>(i);
    CHECK(read_report(write_report(r)) == r);
    CHECK((i == 0) == text_of(r.why).empty());
  }
}

TEST_CASE("guard message: a report whose text is too long -> cut, and read") {
  report r;
  r.text.assign(2'000, 'x');
  const auto text = write_report(r);
  CHECK(text.size() == longest_message);
  REQUIRE(read_report(text));
  CHECK(read_report(text)->text.size() > 400);
}

TEST_CASE("guard message: a report of a newer guard -> what is known of it") {
  const auto r = read_report("ok state=primary lag=3 pid=5");
  REQUIRE(r);
  CHECK(r->now == phase::primary);
  CHECK(r->pid == 5);
}

TEST_CASE("guard message: what is no report -> none") {
  for (const auto* each : {"", "fine", "refused", "refused so", "ok state=odd", "ok pid=x",
                           "ok pid", "ok deadline=-1"}) {
    INFO("'" << each << "'");
    CHECK_FALSE(read_report(each));
  }
}

} // namespace

} // namespace harmony::test

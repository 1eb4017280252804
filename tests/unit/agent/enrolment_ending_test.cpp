#include "apps/agent/enrolment_ending.hpp"

#include "support/catch.hpp"

namespace harmony::test {

namespace {

using Catch::Matchers::Contains;
using state = enrolment_record::state;

constexpr enrolment_record::timestamp noon{std::chrono::seconds{1769860800}};
constexpr std::chrono::seconds one{1};

enrolment_token token_with(const std::string& jwt) {
  enrolment_token token{"tls://h:4222", nkey_pair::make(nkey_kind::user), jwt, {}, {}};
  token.expires = noon;
  return token;
}

enrolment_record record_in(state is) {
  enrolment_record record;
  record.is = is;
  record.expires = noon;
  record.reason = "why";
  return record;
}

} // namespace

TEST_CASE("enrolment ending: record -> what ends it, and what to do") {
  const auto by_key = token_with("");
  const auto by_jwt = token_with("x");
  CHECK_FALSE(ended_by(record_in(state::issued), by_key, noon - one));
  const auto expired = ended_by(record_in(state::issued), by_key, noon);
  REQUIRE(expired);
  CHECK(expired->code == enroll_exit::refused);
  CHECK_THAT(expired->why, Contains("the token has expired"));
  CHECK_THAT(expired->why, Contains("by this device's clock it is 2026-01-31T12:00:00"));
  CHECK_THAT(expired->why, Contains("harmonyctl enroll-token create"));
  CHECK_FALSE(ended_by(record_in(state::issued), by_jwt, noon)); // the server's clock says so
  CHECK_FALSE(ended_by(record_in(state::approved), by_key, noon + one));
  const auto revoked = ended_by(record_in(state::revoked), by_jwt, noon - one);
  REQUIRE(revoked);
  CHECK_THAT(revoked->why, Contains("revoked: why") && Contains("harmonyctl enroll-token create"));
  CHECK(ended_by(record_in(state::denied), by_key, noon)->code == enroll_exit::denied);
}

TEST_CASE("enrolment ending: refused by the server -> expired where that is known, else all that "
          "it may be; with static keys the server may be told yet") {
  const auto by_key = token_with("");
  const auto by_jwt = token_with("x");
  CHECK_FALSE(ended_by_refusal(by_key, "words", noon - one, false));
  for (const auto& ended : {ended_by_refusal(by_key, "words", noon - one, true),
                            ended_by_refusal(by_jwt, "words", noon - one, false)}) {
    REQUIRE(ended);
    CHECK(ended->code == enroll_exit::refused);
    CHECK_THAT(ended->why, Contains("expired, was used or revoked") && Contains("(words)")
                             && Contains("harmonyctl enroll-token create"));
  }
  for (const auto& token : {by_key, by_jwt}) {
    const auto ended = ended_by_refusal(token, "words", noon, false);
    REQUIRE(ended);
    CHECK_THAT(ended->why, Contains("the token has expired: it was good until 2026-01-31T12:00"));
    CHECK_THAT(ended->why, !Contains("words"));
  }
  auto of_before = by_key; // which says nothing of its end
  of_before.expires.reset();
  CHECK_FALSE(ended_by_refusal(of_before, "words", noon, false));
  CHECK(ended_by_refusal(of_before, "words", noon, true));
}

} // namespace harmony::test

#include "apps/agent/enrolment_ending.hpp"

#include "model/manifest.hpp"

namespace harmony {

namespace {

using timestamp = enrolment_record::timestamp;

std::string with_reason(const std::string& what, const std::string& reason) {
  return reason.empty() ? what : what + ": " + reason;
}

std::string expired_text(timestamp end, timestamp now) {
  return "the token has expired: it was good until " + format_time(end)
         + ", and by this device's clock it is " + format_time(now);
}

} // namespace

enrolment_ending token_of_no_use(const std::string& why) {
  return {enroll_exit::refused, why + "; " + ask_for_another};
}

std::optional<enrolment_ending> ended_by(const enrolment_record& record,
                                         const enrolment_token& token, timestamp now) {
  using state = enrolment_record::state;
  switch (record.is) {
  case state::approved: return std::nullopt; // whenever that was
  case state::denied:
    return enrolment_ending{enroll_exit::denied,
                            with_reason("an operator has turned this device down", record.reason)};
  case state::revoked: return token_of_no_use(with_reason("the token was revoked", record.reason));
  case state::issued: break;
  }
  if (token.jwt.empty() && now >= record.expires)
    return token_of_no_use(expired_text(record.expires, now));
  return std::nullopt;
}

std::optional<enrolment_ending>
ended_by_refusal(const enrolment_token& token, const std::string& words, timestamp now, bool over) {
  if (token.expires && now >= *token.expires)
    return token_of_no_use(expired_text(*token.expires, now));
  if (token.jwt.empty() && !over)
    return std::nullopt;
  return token_of_no_use("the server refuses this token: it has expired, was used or revoked, or "
                         "is not of this fleet ("
                         + words + ")");
}

} // namespace harmony

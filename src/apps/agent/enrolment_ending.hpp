#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "apps/agent/enrolment_run.hpp"
#include "identity/enrolment.hpp"

namespace harmony {

/// Why an enrolment ends, and how.
struct enrolment_ending {
  enroll_exit code = enroll_exit::ok;
  std::string why; ///< for a person; has what to do
};

/// What to do where a token is of no use.
inline constexpr const char* ask_for_another =
  "ask an operator for a new one ('harmonyctl enroll-token create')";

/// The token is of no use, because of `why` ("the token was revoked"): what to do about it.
enrolment_ending token_of_no_use(const std::string& why);

/// What a record says that nothing is to be waited for: denied, revoked, or past its end without an
/// answer. The end is judged here for static keys alone, where the server knows no time; for a JWT
/// the server does, by a clock that can be trusted more than a device's.
std::optional<enrolment_ending> ended_by(const enrolment_record& record,
                                         const enrolment_token& token,
                                         enrolment_record::timestamp now);

/// What it means that the server refuses the token, in `words` of its own; nothing where it may
/// still be waited for: a server with static keys has a token from its next configuration on.
std::optional<enrolment_ending> ended_by_refusal(const enrolment_token& token,
                                                 const std::string& words,
                                                 enrolment_record::timestamp now, bool over);

} // namespace harmony

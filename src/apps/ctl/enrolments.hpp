#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/ctl/commands.hpp"
#include "apps/ctl/printer.hpp"
#include "apps/ctl/session.hpp"
#include "identity/enrolment.hpp"

namespace harmony::ctl {

/// A token, what was asked with it, and what became of it.
struct enrolment {
  std::string id;
  enrolment_record record;
  std::uint64_t revision = 0; ///< of the record
  std::optional<enrolment_request> request;
  std::string fault; ///< why what was asked cannot be granted
  std::chrono::system_clock::time_point asked;
  bool done = false; ///< the device says that it was let in
};

/// Unused -> Pending -> Approved -> Enrolled; Denied, Revoked and Expired end it. Invalid is a
/// request that cannot be granted.
enum class standing { unused, pending, invalid, approved, enrolled, denied, revoked, expired };

std::string_view name_of(standing s) noexcept;
standing standing_of(const enrolment& e, std::chrono::system_clock::time_point now);

/// All tokens, the oldest first. `each`: the time for one call; there are as many as tokens.
outcome<std::vector<enrolment>> read_enrolments(store& from, milliseconds each);
/// The same of the store that the command line names.
outcome<std::vector<enrolment>> read_enrolments(const context& c);

listing list_tokens(const std::vector<enrolment>& all, std::chrono::system_clock::time_point now);
/// Those with a request.
listing list_enrolments(const std::vector<enrolment>& all,
                        std::chrono::system_clock::time_point now);

} // namespace harmony::ctl

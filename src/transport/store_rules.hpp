#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "transport/store.hpp"

/// What both stores hold their callers to, so that a document that one takes, the other takes too.
namespace harmony {

inline constexpr std::array all_buckets{bucket::desired_state, bucket::actual_state,
                                        bucket::device_info, bucket::enrolment,
                                        bucket::enrolment_request};

/// Longest key, in bytes: a file name with room for a temporary suffix.
inline constexpr std::size_t max_key_bytes = 200;

/// Longest value, in bytes. A NATS server must take a little more (`max_payload`), for headers; one
/// that does not refuses a value near this limit with document_too_large.
inline constexpr std::size_t max_value_bytes = std::size_t{1} << 20;

/// Whether `key` may be used: `[-_=.A-Za-z0-9]+` with no dot at an end nor two in a row, at most
/// `max_key_bytes`. Every agent id may. Fails with invalid_spec.
outcome<void> check_key(std::string_view key);

/// Whether `verb` may be that of a command: `[a-z]+`, at most 32 bytes. Fails with
/// invalid_spec.
outcome<void> check_verb(std::string_view verb);

/// Fails with document_too_large for a value over `max_value_bytes`.
outcome<void> check_value(std::string_view value);

/// The failure of a command that nobody serves.
failure nobody_serves(std::string_view agent);

} // namespace harmony

#pragma once

// JSON text to values and back, with limits. The only place that lets the library parse.

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "model/detail/place.hpp"

namespace harmony::detail {

using json = nlohmann::json;

/// Whole numbers up to here survive every JSON implementation.
inline constexpr std::int64_t max_whole = (std::int64_t{1} << 53) - 1;

/// What a text may cost.
struct json_limits {
  std::size_t bytes = max_document_bytes;
  std::size_t depth = max_depth;
  std::size_t resources = max_resources; ///< elements of `spec.resources`
};

/// Parses JSON without recursion. Broken UTF-8 or syntax and a passed limit yield nothing; a
/// duplicate key is reported and the value goes on.
std::optional<json> parse_json(std::string_view text, const json_limits& limits, complaints& found);

/// Compact JSON with sorted keys, or indented by two. Total: broken UTF-8 is replaced.
std::string to_text(const json& value, bool indented = false);

/// `value` for a message: its text, at most 40 characters, or what it is.
std::string shown(const json& value);

/// `text` cut to at most `limit` bytes between two characters, with "…" where it was cut.
std::string shortened(std::string_view text, std::size_t limit);

} // namespace harmony::detail

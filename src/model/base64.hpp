#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace harmony {

/// The two alphabets of RFC 4648: section 4, and section 5 (URL-safe).
enum class base64_alphabet { standard, url_safe };

/// Decodes base64 with padding; nothing for anything else, unused bits that are not zero and white
/// space included.
std::optional<std::string> decode_base64(std::string_view text,
                                         base64_alphabet alphabet = base64_alphabet::standard);

/// Base64 of RFC 4648 section 4, with padding.
std::string encode_base64(std::string_view bytes);

} // namespace harmony

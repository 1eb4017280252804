#pragma once

#include <cstddef>
#include <string_view>

namespace harmony {

/// The length of the UTF-8 sequence at `at` (RFC 3629: no overlong form, no surrogate, nothing
/// above U+10FFFF), or 0 where there is none that is well-formed. Precondition: at < text.size().
std::size_t utf8_length(std::string_view text, std::size_t at = 0) noexcept;

} // namespace harmony

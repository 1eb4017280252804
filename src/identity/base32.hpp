#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace harmony {

using bytes = std::vector<unsigned char>;

/// RFC 4648, without padding.
std::string base32(const bytes& data);

/// Nothing for what is not base32, or has bits left over that are not zero: one value, one text.
std::optional<bytes> from_base32(std::string_view text);

} // namespace harmony

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "model/manifest.hpp"

namespace harmony {

/// The newest manifest that was accepted, as the device remembers it.
struct accepted_mark {
  std::uint32_t key_epoch = 0;
  generation_number generation = 0;
  std::string hash; ///< sha256_hex of the document's bytes

  friend bool operator==(const accepted_mark&, const accepted_mark&) = default;
};

/// The document is the accepted one, byte for byte: nothing to do.
struct admission_known {};
/// The document is taken.
struct admission_accepted {
  manifest value;
  accepted_mark mark;
};
/// The document is refused; the accepted one stays in force.
struct admission_refused {
  failure why;
  generation_number generation = 0; ///< 0: could not be read
};

using admission = std::variant<admission_known, admission_accepted, admission_refused>;

/// Decides on a document for `agent`. `now` is wall-clock time, for expiry.
admission admit(std::string_view document, std::string_view agent,
                const std::optional<accepted_mark>& before, timestamp now);

} // namespace harmony

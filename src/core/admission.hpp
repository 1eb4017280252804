#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/manifest.hpp"
#include "trust/trust_policy.hpp"

namespace harmony {

/// The newest manifest that was accepted, as the device remembers it.
struct accepted_mark {
  std::uint32_t key_epoch = 0;
  generation_number generation = 0;
  std::string hash; ///< sha256_hex of the manifest's bytes, without their envelope

  friend bool operator==(const accepted_mark&, const accepted_mark&) = default;
};

/// What a device goes by, beside what it accepted before.
struct admission_terms {
  std::string agent; ///< this device
  trust_policy trust;
};

/// A manifest that may run here.
struct admission_accepted {
  manifest value;
  accepted_mark mark;
  std::vector<named_key> signers; ///< of the pinned keys; empty where none are pinned
};
/// The document is the accepted one, byte for byte: nothing to do.
struct admission_known {};
/// The document is refused; the accepted one stays in force.
struct admission_refused {
  failure why;
  generation_number generation = 0; ///< 0: could not be read
};

using admission = std::variant<admission_known, admission_accepted, admission_refused>;

/// Verifies a document, reads it, and sees that it is for this device and of no key epoch that its
/// configuration rules out: all that a document must be, whenever it came. For one that was
/// accepted before, which neither generation nor expiry forbid.
std::variant<admission_accepted, admission_refused> admit_again(std::string_view document,
                                                                const admission_terms& terms);

/// Decides on a document from the store. `now` is wall-clock time, for expiry.
admission admit(std::string_view document, const admission_terms& terms,
                const std::optional<accepted_mark>& before, timestamp now);

} // namespace harmony

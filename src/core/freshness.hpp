#pragma once

#include <optional>

#include "core/admission.hpp"
#include "model/status.hpp"

namespace harmony {

/// No clock that is right shows a time before this: the program is younger. A device without a
/// battery starts in 1970, until a time server is reached.
inline constexpr timestamp earliest_time{std::chrono::seconds{1'735'689'600}}; // 2025-01-01T00:00Z

/// How a manifest stands to its expiry.
enum class freshness {
  lasting, ///< it has none
  fresh,   ///< it is still to come
  expired, ///< it is past
  unknown, ///< the clock is wrong: it is before `earliest_time`, or before the manifest was issued
};

/// What is past at a clock that is late is past. Whatever else is asked of a clock that cannot be
/// right stays open: such a device takes a manifest, and sees about its expiry when the clock
/// comes.
freshness freshness_of(const manifest_metadata& about, timestamp now);

/// Whether a device has what it should have now: the condition DesiredStale. `in_force` is null
/// where nothing is; `refused` is why the newest document was not taken, null where it was.
/// Nothing: there is no expiry to speak of.
std::optional<condition> stale_condition(const manifest_metadata* in_force, const failure* refused,
                                         timestamp now);

/// Whose signatures the manifest in force bears: the condition ManifestVerified.
condition verified_condition(const trust_policy& policy, generation_number generation,
                             const std::vector<named_key>& signers, timestamp now);

/// The same before there is one.
condition unverified_condition(const trust_policy& policy, timestamp now);

} // namespace harmony

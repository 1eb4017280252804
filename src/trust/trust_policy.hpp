#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "trust/envelope.hpp"

namespace harmony {

/// How many keys one device may pin.
inline constexpr std::size_t max_pinned_keys = 16;

/// Whose manifests a device takes. Invariant where there are keys: they are different, so are their
/// names, and `threshold` is from 1 to their number.
struct trust_policy {
  std::vector<named_key> keys; ///< none: signatures are not asked for
  std::uint32_t threshold = 1; ///< how many of them must have signed
  std::uint32_t epoch = 1;     ///< the lowest metadata.keyEpoch that is taken

  friend bool operator==(const trust_policy&, const trust_policy&) = default;
};

/// A manifest's bytes, and whose signatures they bear.
struct opened_document {
  std::string payload;
  std::vector<named_key> signers; ///< of the pinned keys; empty where none are pinned
};

/// Takes a manifest out of its envelope once enough pinned keys have signed its exact bytes. Where
/// no key is pinned a document without an envelope is its own payload, and signatures are not
/// looked at.
///
/// Fails with unsigned_document, signature_invalid (too few of the pinned keys have signed),
/// invalid_document (no envelope, or one of something else) or document_too_large.
outcome<opened_document> open_document(std::string_view document, const trust_policy& policy);

/// Reads the table [trust] of an agent's configuration file; nothing pinned where there is none.
/// `name` is the file's, for messages: "agent.toml:12:1: trust.keys: …". Fails with
/// invalid_document or invalid_spec.
outcome<trust_policy> read_trust(std::string_view toml, const std::string& name);

/// "2 of 3 pinned keys (alice, bob, carol)"
std::string describe(const trust_policy& policy);

} // namespace harmony

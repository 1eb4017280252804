#pragma once

// DSSE, the envelope of what is signed (secure-systems-lab/dsse, protocol 1.0):
//
//   { "payload": "<base64>", "payloadType": "…", "signatures": [ { "keyid": "…", "sig": "<base64>"
//   } ] }
//
// A signature is over the pre-authentication encoding of type and payload, so that nothing of the
// payload is parsed before it is known who signed its exact bytes.

#include <string>
#include <string_view>
#include <vector>

#include "trust/keys.hpp"

namespace harmony {

inline constexpr std::string_view manifest_payload_type = "application/vnd.harmony.manifest+json";

/// Signatures of one envelope; what has more is refused, so that nobody lets a device compute for
/// long.
inline constexpr std::size_t max_signatures = 16;

struct envelope_signature {
  std::string key_id; ///< a hint of whose it is, signed by nobody; empty: none
  std::string bytes;

  friend bool operator==(const envelope_signature&, const envelope_signature&) = default;
};

struct envelope {
  std::string type;
  std::string payload; ///< decoded
  std::vector<envelope_signature> signatures;

  friend bool operator==(const envelope&, const envelope&) = default;
};

/// "DSSEv1 29 http://example.com/HelloWorld 11 hello world"
std::string pre_authentication_encoding(std::string_view type, std::string_view payload);

/// Reads an envelope; verifies nothing. Fields that it does not know are ignored, as DSSE demands;
/// base64 may be of either alphabet, and is strict. Fails with unsigned_document for a JSON object
/// without a payload, with document_too_large, and with invalid_document for anything else.
outcome<envelope> read_envelope(std::string_view document);

/// Whether `document` is meant to be an envelope: a JSON object with a payload.
bool is_envelope(std::string_view document);

/// The same without parsing: false only for what is none.
bool may_be_envelope(std::string_view document);

/// Writes an envelope as JSON.
std::string write_envelope(const envelope& e);

/// Adds the signature of `key`, in place of one that names it.
void sign(envelope& e, const secret_key& key);

/// Those of `keys` that have signed, each once, in the order of `keys`.
std::vector<named_key> signers_of(const envelope& e, const std::vector<named_key>& keys);

} // namespace harmony

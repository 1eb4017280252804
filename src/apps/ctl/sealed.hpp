#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "trust/envelope.hpp"

namespace harmony::ctl {

/// A document of the store or of a file: a manifest's bytes, and the envelope that they came in.
struct sealed_document {
  std::string payload;
  std::optional<envelope> seal; ///< absent: it is not signed
};

/// Takes a document apart. Verifies nothing: an operator may look at whatever is there. What is
/// meant to be an envelope and is none is its own payload, so that reading it says what is wrong.
sealed_document unseal(const std::string& document);

/// Ids of the keys that are said to have signed it, sorted.
std::set<std::string> signers_of(const sealed_document& document);

/// `payload` in an envelope: with the signatures of `former`, where those are of the same payload,
/// and of `keys`.
envelope sealed(const std::string& payload, const std::vector<const envelope*>& former,
                const std::vector<secret_key>& keys);

} // namespace harmony::ctl

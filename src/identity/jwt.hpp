#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "identity/nkey.hpp"

namespace harmony {

/// Who a NATS JWT (version 2, "ed25519-nkey") speaks of, and until when.
struct jwt_head {
  std::string name;
  std::string subject; ///< public nkey
  std::chrono::sys_seconds issued;
  std::optional<std::chrono::sys_seconds> expires;
};

/// Signs a JWT; `nats` are the claims of its type.
outcome<std::string> sign_jwt(const signing_key& issuer, const jwt_head& head,
                              const nlohmann::json& nats);

/// All of a JWT.
struct jwt_claims {
  jwt_head head;
  std::string issuer; ///< public nkey; it has signed this
  nlohmann::json nats;
};

/// Reads a JWT and checks its signature against the issuer that it names: whether to trust that one
/// is the caller's business. Fails with invalid_document.
outcome<jwt_claims> read_jwt_claims(std::string_view text);

/// Reads a JWT of which only the holder's own curiosity depends: the signature is checked against
/// the issuer that it names, and whether to trust that issuer is the server's business. Fails with
/// invalid_document.
outcome<jwt_head> read_jwt(std::string_view text);

} // namespace harmony

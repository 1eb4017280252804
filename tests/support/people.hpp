#pragma once

// Three signers whose keys are the test vectors of RFC 8032, and what they sign.

#include <string>

#include <sodium.h>

#include "trust/trust_policy.hpp"

namespace harmony::test {

inline std::string unhex(std::string_view text) {
  std::string bytes(text.size() / 2, '\0');
  std::size_t size = 0;
  sodium_hex2bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                 text.size(), nullptr, &size, nullptr);
  return bytes;
}

inline const secret_key alice{
  unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"), "alice"};
inline const secret_key bob{
  unhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"), "bob"};
inline const secret_key carol{
  unhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"), "carol"};
inline const secret_key mallory{std::string(32, 'm'), "mallory"};

/// Two of alice, bob and carol.
inline trust_policy two_of_three() {
  return {{alice.pub(), bob.pub(), carol.pub()}, 2, 1};
}

/// `payload` in an envelope, signed by these.
inline envelope signed_by(const std::vector<secret_key>& keys, const std::string& payload,
                          std::string_view type = manifest_payload_type) {
  envelope e{std::string{type}, payload, {}};
  for (const auto& each : keys)
    sign(e, each);
  return e;
}

} // namespace harmony::test

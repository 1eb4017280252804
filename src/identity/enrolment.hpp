#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "identity/nkey.hpp"

/// How a device without an identity gets one (docs/nats-security.md#enrolment):
///
///     operator                      store                          device
///     token  ------------------ record: issued
///                                   request, signed by its key <-- key, made there
///     approves, by fingerprint --> record: approved, JWT ------>   identity
///                                   receipt, signed <------------- connected as itself
///
/// The documents here are what stands in the store, and the token.
namespace harmony {

/// What a device is handed to ask with. Its key is the log-in of its holder, who may do no more
/// than ask once and read the answer.
struct enrolment_token {
  std::string store;  ///< URL
  nkey_pair key;      ///< of the token, not of the device
  std::string jwt;    ///< for that key; empty: the server knows it from its configuration
  std::string device; ///< the only id that it is good for; empty: any
  std::string ca; ///< certificates that the server's must descend from, PEM; empty: the system's
  /// What its holder is told of its end; who lets in goes by the record. Nothing: not known.
  std::optional<std::chrono::sys_time<std::chrono::milliseconds>> expires = std::nullopt;

  [[nodiscard]] std::string id() const;
};

/// By which a token is known to all but its holder: a hash of its public key. A valid name.
std::string token_id(std::string_view nkey);

/// One line of text.
std::string write_token(const enrolment_token& token);
/// Fails with invalid_document; the message has nothing of the token.
outcome<enrolment_token> read_token(std::string_view text);

/// By which two people compare a public key: 128 bits of its SHA-256, as "1a2b-3c4d-…".
std::string fingerprint_of(std::string_view nkey);

/// What became of a token; written by operators, read by its holder.
struct enrolment_record {
  enum class state { issued, approved, denied, revoked };
  using timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

  state is = state::issued;
  std::string device; ///< the id that it is good for, or was approved for; empty: any
  timestamp created, expires;
  std::string nkey;   ///< approved: the device's public key
  std::string jwt;    ///< approved: for that key; empty: the server's configuration gets the key
  std::string reason; ///< denied or revoked: why, in the operator's words
};

/// "issued", "approved", "denied", "revoked".
std::string_view name_of(enrolment_record::state s) noexcept;

std::string write_record(const enrolment_record& record);
/// Fails with invalid_document.
outcome<enrolment_record> read_record(std::string_view text);

/// What a device asks.
struct enrolment_request {
  std::string token;  ///< id of the token that it holds
  std::string device; ///< who it wants to be
  std::string nkey;   ///< its new public key, which has signed this
  std::string renews; ///< the public key that it has been known by, which has signed this too
  std::map<std::string, std::string> facts; ///< what it says of itself; nobody vouches for them
};

/// Signs with `key`, and with `former` where the device has an identity already.
outcome<std::string> sign_request(const enrolment_request& request, const signing_key& key,
                                  const signing_key* former, std::chrono::sys_seconds now);
/// Checks the signatures: whoever wrote this holds the key. Fails with invalid_document.
outcome<enrolment_request> read_request(std::string_view text);

/// The device's word that it was let in by `key`, and has kept what it was given.
outcome<std::string> sign_receipt(const std::string& token, const signing_key& key,
                                  std::chrono::sys_seconds now);
/// Whether `text` is that word of `nkey`'s holder.
bool is_receipt(std::string_view text, std::string_view token, std::string_view nkey);

} // namespace harmony

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/outcome.hpp"

namespace harmony::nats {

/// One server of a NATS URL.
struct server {
  std::string url;   ///< as the client library takes it, with user and password where given
  std::string host;  ///< for the check of a TLS certificate
  std::string shown; ///< for messages: without user and password
  int port = 4222;
  bool tls = false;

  friend bool operator==(const server&, const server&) = default;
};

/// Reads "nats://[user[:password]@]host[:port][,…]" or the same with "tls://"; the port is 4222
/// where none is given, and what follows a comma may leave out the scheme. Fails with invalid_spec;
/// the message does not repeat a password.
outcome<std::vector<server>> parse_servers(std::string_view url);

} // namespace harmony::nats

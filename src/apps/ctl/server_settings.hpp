#pragma once

#include <string>

namespace harmony::ctl {

/// What a nats-server for a fleet is told beside who may do what.
struct server_settings {
  std::string listen = "0.0.0.0:4222";
  std::string store_dir = "/var/lib/nats";
  std::string tls_cert, tls_key; ///< on the server's machine; empty: no TLS
  std::string tls_ca;            ///< clients must show a certificate of it; empty: they need not
};

} // namespace harmony::ctl

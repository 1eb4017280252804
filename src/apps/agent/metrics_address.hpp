#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/outcome.hpp"

namespace harmony {

/// Where metrics are served: a port of the loopback, or a unix socket.
struct metrics_address {
  std::string host; ///< "127.0.0.1" or "::1"; empty: `path`
  std::uint16_t port = 0;
  std::string path;
};

/// Reads "127.0.0.1:9469", "[::1]:9469" or "unix:/path". Fails with invalid_spec for anything else,
/// also for an address that others than this device could reach.
outcome<metrics_address> parse_metrics_address(std::string_view text);

} // namespace harmony

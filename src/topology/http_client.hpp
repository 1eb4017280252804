#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "model/outcome.hpp"
#include "topology/containers.hpp"

namespace harmony {

struct http_request {
  std::string method; ///< "GET", "POST", "DELETE"
  std::string target; ///< path and query, percent-encoded
  std::string json;   ///< body; empty: none

  /// The call changes nothing when made twice: it is made once more when the server closes the
  /// connection before a single byte of the answer.
  bool repeatable = true;

  /// The answer comes in pieces over a long time.
  bool streamed = false;
  std::function<void()> opened; ///< after the header of a 2xx answer
  /// A piece of a 2xx answer's body, which is then not collected. False ends the call.
  std::function<bool(std::string_view)> piece;
};

struct http_response {
  int status = 0;
  std::string body; ///< at most 16 MiB
};

/// One HTTP exchange over a unix socket, on a connection of its own. Blocks; thread-safe; never
/// raises SIGPIPE. `server` names the peer in messages ("podman"), `remedy` says what to do when
/// it is not there. Any status that the server sends is success. Fails with `runtime_unavailable`,
/// `permission_denied`, `timed_out` or `canceled`.
outcome<http_response> http_call(const std::string& socket, const http_request& ask,
                                 const call_limits& limits, std::string_view server,
                                 std::string_view remedy);

/// `text` with everything but unreserved characters (RFC 3986) percent-encoded.
std::string percent_encode(std::string_view text);

} // namespace harmony

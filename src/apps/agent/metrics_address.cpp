#include "apps/agent/metrics_address.hpp"

#include <sys/un.h>

#include <charconv>
#include <system_error>

namespace harmony {

namespace {

constexpr std::string_view unix_prefix = "unix:";

} // namespace

outcome<metrics_address> parse_metrics_address(std::string_view text) {
  metrics_address at;
  if (text.rfind(unix_prefix, 0) == 0) {
    at.path = text.substr(unix_prefix.size());
    if (!at.path.empty() && at.path.front() == '/'
        && at.path.size() < sizeof(sockaddr_un::sun_path))
      return at;
  } else if (const auto colon = text.rfind(':'); colon != std::string_view::npos) {
    const auto host = text.substr(0, colon);
    const auto port = text.substr(colon + 1);
    const auto* end = port.data() + port.size();
    const auto [stop, error] = std::from_chars(port.data(), end, at.port);
    at.host = host == "[::1]" ? "::1" : host;
    if ((host == "127.0.0.1" || host == "[::1]") && error == std::errc{} && stop == end)
      return at;
  }
  return failure{ec::invalid_spec, "expected 127.0.0.1:PORT, [::1]:PORT, unix:/PATH or off, got '"
                                     + std::string{text} + "'"};
}

} // namespace harmony

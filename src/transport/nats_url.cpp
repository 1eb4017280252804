#include "transport/nats_url.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace harmony::nats {

namespace {

constexpr std::string_view schemes[] = {"nats://", "tls://"};

bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

bool read_port(std::string_view text, int& port) {
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  return error == std::errc{} && stop == end && port >= 1 && port <= 65535;
}

bool is_host(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'
           || c == '.' || c == '_';
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), fits);
}

bool is_ipv6(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || (c >= '0' && c <= '9') || c == ':'
           || c == '.';
  };
  return text.size() > 1 && std::all_of(text.begin(), text.end(), fits);
}

// "host", "host:port", "[ipv6]", "[ipv6]:port"; nothing for anything else.
std::optional<server> read_address(std::string_view address) {
  server found;
  std::string_view port;
  if (starts_with(address, "[")) {
    const auto end = address.find(']');
    if (end == std::string_view::npos || !is_ipv6(address.substr(1, end - 1)))
      return std::nullopt;
    found.host = address.substr(1, end - 1);
    port = address.substr(end + 1);
  } else {
    const auto colon = std::min(address.find(':'), address.size());
    found.host = address.substr(0, colon);
    port = address.substr(colon);
    if (!is_host(found.host))
      return std::nullopt;
  }
  if (!port.empty() && (port.front() != ':' || !read_port(port.substr(1), found.port)))
    return std::nullopt;
  const auto host = address.substr(0, address.size() - port.size());
  found.shown = std::string{host} + (port.empty() ? ":4222" : std::string{port});
  return found;
}

} // namespace

outcome<std::vector<server>> parse_servers(std::string_view url) {
  std::vector<server> servers;
  std::string_view scheme;
  for (std::size_t from = 0; from <= url.size();) {
    const auto comma = std::min(url.find(',', from), url.size());
    auto part = url.substr(from, comma - from);
    from = comma + 1;
    for (const auto known : schemes)
      if (starts_with(part, known)) {
        scheme = known;
        part.remove_prefix(known.size());
        break;
      }
    if (!part.empty() && part.back() == '/')
      part.remove_suffix(1);
    const auto at = part.rfind('@');
    const auto user = at == std::string_view::npos ? std::string_view{} : part.substr(0, at + 1);
    part.remove_prefix(user.size());
    auto found = scheme.empty() ? std::nullopt : read_address(part);
    if (!found) {
      // Before an '@' it may be the beginning of a password that has a comma.
      const bool secret = from <= url.size() && url.find('@', from) != std::string_view::npos;
      const auto what = secret ? "what stands before a comma" : "'" + std::string{part} + "'";
      return {ec::invalid_spec, "cannot open the store: " + what
                                  + " is not a server's address; give nats://host:port or "
                                    "tls://host:port, several joined by commas; a password "
                                    "cannot have a comma"};
    }
    found->tls = scheme == "tls://";
    found->url = std::string{scheme} + std::string{user} + found->shown;
    found->shown = std::string{scheme} + found->shown;
    servers.push_back(std::move(*found));
  }
  return servers;
}

} // namespace harmony::nats

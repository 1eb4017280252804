#include "fuzz.hpp"
#include "transport/nats_url.hpp"

namespace harmony::fuzz {

namespace {

constexpr std::string_view secret = "SECRET";

void check_secret(const std::string& url) {
  const auto read = nats::parse_servers(url);
  if (!read) {
    require(read.error().message.find(secret) == std::string::npos, "no message tells a password");
    return;
  }
  for (const auto& s : *read)
    require(s.shown.find(secret) == std::string::npos, "no message tells a password");
}

} // namespace

void take(std::string_view bytes) {
  if (const auto read = nats::parse_servers(bytes)) {
    require(!read->empty(), "an address is of one server or more");
    for (const auto& s : *read) {
      require(s.port >= 1 && s.port <= 65535, "a port is one");
      const auto again = nats::parse_servers(s.url);
      require(again && again->size() == 1 && again->front() == s, "a server's url reads as itself");
    }
  }
  // The bytes in place of what a person may have typed into a password.
  if (bytes.find(secret) == std::string_view::npos)
    check_secret("nats://user:" + std::string{secret} + std::string{bytes} + "@host");
}

} // namespace harmony::fuzz

#pragma once

// What the calls of podman_client share; for its sources only.

#include <string>
#include <string_view>

#include "topology/http_client.hpp"

namespace harmony::podman_calls {

// The API's version: podman 4.0 and newer serve it.
inline constexpr std::string_view api = "/v4.0.0/libpod";
inline constexpr std::string_view remedy =
  "is podman.socket active? Start it with `systemctl start podman.socket`";

inline std::string path_of(std::string_view rest) {
  return std::string{api} + std::string{rest};
}

inline std::string container_path(const std::string& name, std::string_view rest) {
  return path_of("/containers/") + percent_encode(name) + std::string{rest};
}

inline http_request get(std::string target) {
  http_request ask;
  ask.method = "GET";
  ask.target = std::move(target);
  return ask;
}

inline http_request post(std::string target) {
  http_request ask;
  ask.method = "POST";
  ask.target = std::move(target);
  return ask;
}

inline bool good(const http_response& answer) {
  return answer.status >= 200 && answer.status < 300;
}

inline failure unreadable(const std::string& what) {
  return {ec::runtime_unavailable,
          "podman gave an answer that is not understood for " + what
            + "; this agent needs podman 4.0 or newer, see `podman version`"};
}

inline std::string quoted(const std::string& text) {
  return "'" + text + "'";
}

} // namespace harmony::podman_calls

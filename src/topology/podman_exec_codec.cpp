// Commands in a container, as podman's API has them.

#include "topology/podman_codec.hpp"
#include "topology/podman_json.hpp"

namespace harmony::podman {

std::string exec_body(const std::vector<std::string>& command) {
  const json body{{"Cmd", command}, {"AttachStdout", true}, {"AttachStderr", true}};
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<exec_session> read_exec(std::string_view text) {
  const auto top = parse(text);
  if (!member(top, "Running").is_boolean())
    return std::nullopt;
  return exec_session{flag_of(member(top, "Running")), number_of(member(top, "Pid")),
                      static_cast<std::int32_t>(number_of(member(top, "ExitCode")))};
}

std::string read_frames(std::string_view frames) {
  std::string text;
  while (const auto part = next_frame(frames))
    text += *part;
  return text;
}

} // namespace harmony::podman

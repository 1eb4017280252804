// podman's answers, whatever answers in its place.

#include "fuzz.hpp"
#include "model/manifest.hpp"
#include "topology/podman_codec.hpp"

namespace harmony::fuzz {

void take(std::string_view bytes) {
  podman::read_inspect(bytes);
  podman::read_list(bytes);
  podman::read_id(bytes);
  podman::read_event(bytes);
  podman::read_exec(bytes);
  (void)podman::read_pull("registry/image:1", bytes);
  require(podman::read_frames(bytes).size() <= bytes.size(), "frames hold less than they take");
  require(podman::read_logs(bytes, 64).size() <= 64, "the end of a log is as long as asked for");
  const auto error = podman::read_error(bytes);
  require(error.size() <= 300, "podman's words are at most 300 bytes");
  require(error.find('\n') == std::string::npos, "podman's words stand on one line");
  podman::classify("cannot start container 'web'", 500, bytes);
  const auto time = podman::utc_time(bytes);
  require(time.empty() || parse_time(time), "a time is one of this program's");
}

} // namespace harmony::fuzz

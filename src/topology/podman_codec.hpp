#pragma once

// What goes over podman's REST API (libpod, 4.x and 5.x), as text. Pure: no I/O. Every reader is
// total: any bytes give a value or nothing, never an exception.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/outcome.hpp"
#include "model/specs.hpp"
#include "topology/containers.hpp"

namespace harmony::podman {

/// The body of `POST /libpod/containers/create` (podman's SpecGenerator).
std::string create_body(const std::string& name, const container_spec& spec,
                        const std::map<std::string, std::string>& labels);

/// Reads `GET /libpod/containers/{name}/json`.
std::optional<container_info> read_inspect(std::string_view json);

/// Reads `GET /libpod/containers/json`.
std::optional<std::vector<container_info>> read_list(std::string_view json);

/// The member `Id` or `id` of an object.
std::optional<std::string> read_id(std::string_view json);

/// Reads one line of the event stream; nothing for what is not an event of a container.
std::optional<container_event> read_event(std::string_view json);

/// Reads the stream of lines that answers a pull: podman answers 200 and puts a failure into it.
outcome<std::string> read_pull(std::string_view reference, std::string_view lines);

/// Takes the frames of a log answer apart and keeps its last `bytes` bytes, on whole lines where
/// there is one.
std::string read_logs(std::string_view frames, std::size_t bytes);

/// The body of `POST /libpod/containers/{name}/exec`: without input, both outputs attached.
std::string exec_body(const std::vector<std::string>& command);

/// A command that runs or ran in a container.
struct exec_session {
  bool running = false;
  std::int64_t pid = 0; ///< in podman's own namespace; 0: no process
  std::int32_t exit_code = 0;

  friend bool operator==(const exec_session&, const exec_session&) = default;
};

/// Reads `GET /libpod/exec/{id}/json`.
std::optional<exec_session> read_exec(std::string_view json);

/// What the frames of an attached command hold, the last of which may be cut off.
std::string read_frames(std::string_view frames);

/// podman's own words in an error answer, on one line, at most 300 bytes.
std::string read_error(std::string_view json);

/// What an error answer means. `doing` says what failed ("cannot start container 'harmony-web'").
failure classify(const std::string& doing, int status, std::string_view json);

/// "2026-11-23T10:17:19.86291029+01:00" as "2026-11-23T09:17:19.862Z"; empty for podman's year 1
/// (never) and for what is not a time.
std::string utc_time(std::string_view text);

} // namespace harmony::podman

#pragma once

// What a device can do with containers, whatever runs them.

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "model/outcome.hpp"
#include "model/specs.hpp"
#include "topology/logs.hpp"
#include "topology/process_runner.hpp"

namespace harmony {

/// How long one call on a runtime may take: it ends with `ec::canceled` soon after `cancel` is
/// requested and with `ec::timed_out` soon after `deadline`.
struct call_limits {
  std::stop_token cancel;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

enum class container_status {
  created, ///< there, never started or its start failed
  running, ///< its process lives (also while it is being stopped)
  paused,  ///< frozen
  exited,  ///< its process ended
  broken,  ///< being removed, or in a state that only a new container mends
};

/// "created", "running", …
std::string_view name_of(container_status s) noexcept;

/// What a runtime knows about one container. Times are RFC 3339 in UTC with milliseconds, empty
/// where it did not happen yet.
struct container_info {
  std::string id;
  std::string name;
  std::string image;    ///< the reference it was created from
  std::string image_id; ///< "sha256:" and hexadecimal digits
  std::map<std::string, std::string> labels;
  container_status status = container_status::broken;
  std::int64_t pid = 0; ///< 0: no process
  std::string started;
  std::string finished;
  std::int32_t exit_code = 0; ///< of the last run
  bool out_of_memory = false; ///< the last run was killed by the kernel for its memory

  friend bool operator==(const container_info&, const container_info&) = default;
};

/// Something that happened to a container.
struct container_event {
  std::string name; ///< of the container
  std::string what; ///< the runtime's word, e.g. "died"
  std::string id;   ///< of the container; empty: not told

  friend bool operator==(const container_event&, const container_event&) = default;
};

/// A container runtime on this device. All calls block, are thread-safe, and fail with
/// `runtime_unavailable`, `timed_out` or `canceled` besides the codes that they name.
class container_runtime {
public:
  virtual ~container_runtime() = default;

  /// Whether the runtime answers.
  virtual outcome<void> ping(const call_limits& limits) = 0;

  /// The container of that name or id; nothing where there is none.
  virtual outcome<std::optional<container_info>> inspect(const std::string& name,
                                                         const call_limits& limits) = 0;

  /// Creates, does not start and does not pull; gives the id. The runtime itself will never restart
  /// the container. Fails with `image_not_found` (no local image), `name_conflict` (the name is
  /// taken) or `container_failed`.
  virtual outcome<std::string> create(const std::string& name, const container_spec& spec,
                                      const std::map<std::string, std::string>& labels,
                                      const call_limits& limits) = 0;

  /// Starts a created or exited container; a running one is success. Fails with `port_in_use`,
  /// `not_found` or `container_failed`.
  virtual outcome<void> start(const std::string& id, const call_limits& limits) = 0;

  /// Ends the process: SIGTERM, SIGKILL after `grace`. A container that does not run is success.
  virtual outcome<void> stop(const std::string& id, std::chrono::seconds grace,
                             const call_limits& limits) = 0;

  /// Thaws a paused container.
  virtual outcome<void> resume(const std::string& id, const call_limits& limits) = 0;

  /// Stops with `grace` and removes, with its anonymous volumes; named ones stay. A container that
  /// is gone is success.
  virtual outcome<void> remove(const std::string& id, std::chrono::seconds grace,
                               const call_limits& limits) = 0;

  /// The id of a local image; nothing where there is none.
  virtual outcome<std::optional<std::string>> image(const std::string& reference,
                                                    const call_limits& limits) = 0;

  /// Fetches an image from its registry, whether or not it is here; gives its id. Fails with
  /// `image_not_found` (the registry says there is none) or `image_pull_failed`.
  virtual outcome<std::string> pull(const std::string& reference, const call_limits& limits) = 0;

  /// All containers, running or not, that carry the label (`key=value`), by one call.
  virtual outcome<std::vector<container_info>> list(const std::string& label,
                                                    const call_limits& limits) = 0;

  /// The end of what the container wrote (both streams): at most `lines` lines and `bytes` bytes.
  virtual outcome<std::string> last_words(const std::string& id, unsigned lines, std::size_t bytes,
                                          const call_limits& limits) = 0;

  /// Lines of what the container wrote, both streams as one. Waits for the first line, up to
  /// `query.wait`, where there is none. Fails with `not_found`.
  virtual outcome<logs_result> logs(const std::string& id, const log_query& query,
                                    const call_limits& limits) = 0;

  /// Runs `command` in a running container, as the container's user, without input, and waits for
  /// its end. Keeps the first `keep` bytes of its output (both streams); a command that a signal
  /// ended has status 128 and its number, and one that is not there 127. What does not end within
  /// `limits` is killed with its process group, as far as the runtime lets this process; that takes
  /// up to two seconds more. Fails with `not_found` (no such container), `container_failed` (it
  /// does not run), and where the runtime did not come to start the command, as `limits` say.
  virtual outcome<process_result> exec(const std::string& name,
                                       const std::vector<std::string>& command, std::size_t keep,
                                       const call_limits& limits) = 0;

  /// Calls `opened` once the event stream is up, then `sink` for each event of a container with
  /// that label, until the stream breaks (a failure) or `cancel` is requested (`canceled`).
  virtual outcome<void> events(const std::string& label, const std::function<void()>& opened,
                               const std::function<void(const container_event&)>& sink,
                               const std::stop_token& cancel) = 0;
};

/// T, a device's topology, can run containers.
template <class T>
concept has_containers = requires(T& t) {
  { t.containers() } -> std::convertible_to<container_runtime&>;
};

} // namespace harmony

#pragma once

#include <string>

#include "topology/containers.hpp"
#include "topology/http_client.hpp"
#include "topology/podman_logs.hpp"

namespace harmony {

namespace podman {
struct exec_session;
}

/// podman, through its REST API (libpod) on a unix socket. Each call has a connection of its own,
/// so a call that hangs holds only its caller, and a podman that left and comes back
/// (podman.socket starts it on demand) is not noticed.
class podman_client final : public container_runtime {
public:
  /// `socket`: a path, as a rule /run/podman/podman.sock. Does not connect.
  explicit podman_client(std::string socket) : socket_(std::move(socket)) {}

  outcome<void> ping(const call_limits& limits) override;
  outcome<std::optional<container_info>> inspect(const std::string& name,
                                                 const call_limits& limits) override;
  outcome<std::string> create(const std::string& name, const container_spec& spec,
                              const std::map<std::string, std::string>& labels,
                              const call_limits& limits) override;
  outcome<void> start(const std::string& id, const call_limits& limits) override;
  outcome<void> stop(const std::string& id, std::chrono::seconds grace,
                     const call_limits& limits) override;
  outcome<void> resume(const std::string& id, const call_limits& limits) override;
  outcome<void> remove(const std::string& id, std::chrono::seconds grace,
                       const call_limits& limits) override;
  outcome<std::optional<std::string>> image(const std::string& reference,
                                            const call_limits& limits) override;
  outcome<std::string> pull(const std::string& reference, const call_limits& limits) override;
  outcome<std::vector<container_info>> list(const std::string& label,
                                            const call_limits& limits) override;
  outcome<std::string> last_words(const std::string& id, unsigned lines, std::size_t bytes,
                                  const call_limits& limits) override;
  outcome<logs_result> logs(const std::string& id, const log_query& query,
                            const call_limits& limits) override;
  outcome<process_result> exec(const std::string& name, const std::vector<std::string>& command,
                               std::size_t keep, const call_limits& limits) override;
  outcome<void> events(const std::string& label, const std::function<void()>& opened,
                       const std::function<void(const container_event&)>& sink,
                       const std::stop_token& cancel) override;

private:
  outcome<http_response> call(const http_request& ask, const call_limits& limits) const;
  outcome<void> read_log(podman::log_reader& into, const std::string& id, std::uint32_t tail,
                         bool follow, const call_limits& limits) const;
  outcome<void> act(const http_request& ask, const std::string& doing,
                    const call_limits& limits) const;
  outcome<podman::exec_session> session(const std::string& id, const call_limits& limits) const;
  outcome<std::optional<int>> exit_status(const std::string& id, const call_limits& limits) const;
  void kill_exec(const std::string& name, const std::string& id);

  std::string socket_;
};

} // namespace harmony

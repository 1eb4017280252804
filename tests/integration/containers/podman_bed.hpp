#pragma once

// A real podman and a real inventory, as one agent has them.

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "reconcilers/container.hpp"
#include "state/state_store.hpp"
#include "support/eventually.hpp"
#include "support/temp_dir.hpp"
#include "topology/podman_client.hpp"

namespace harmony::test {

inline constexpr auto podman_socket = "/run/podman/podman.sock";
inline constexpr auto bed_agent = "it-1";
inline constexpr auto bed_image = "localhost/harmony-test:1";

struct podman_device {
  podman_client client{podman_socket};
  container_runtime& containers() { return client; }
};

using subject_type = container_reconciler<podman_device>;

/// Whether `done` holds within fifteen seconds.
template <class F>
bool eventually(F done) {
  return eventually(done, std::chrono::seconds{15});
}

/// The process of podman's service, which is running when this returns.
pid_t podman_service();

/// A TCP port of the loopback that nobody listens on.
std::uint16_t free_port();

class podman_bed {
public:
  podman_bed();
  ~podman_bed();
  podman_bed(const podman_bed&) = delete;
  podman_bed& operator=(const podman_bed&) = delete;

  /// What a restart of the agent leaves: the database on disk.
  void restart_agent();

  [[nodiscard]] state_store& owned() { return *owned_; }
  [[nodiscard]] container_runtime& runtime() { return device_.client; }
  [[nodiscard]] subject_type& subject() { return subject_; }

  [[nodiscard]] op_context context(std::chrono::milliseconds time = std::chrono::seconds{60},
                                   std::stop_token cancel = {});

  outcome<container_observed> observe(const desired<container_spec>& want);
  outcome<std::vector<change>> plan(const desired<container_spec>& want);
  /// Observes, plans and applies once.
  outcome<void> step(const desired<container_spec>& want);
  /// The same, and requires that afterwards nothing is left to do.
  void converge(const desired<container_spec>& want);
  container_state state(const desired<container_spec>& want);

  /// podman's own full account of a container or image.
  static nlohmann::json inspect(const std::string& name);

private:
  temp_dir folder_;
  std::unique_ptr<state_store> owned_;
  podman_device device_;
  subject_type subject_{device_};
};

/// A desire named `app` (container harmony-app) for the test image, revision `revision`.
desired<container_spec> want_app(const std::string& revision = "sha256:a");

} // namespace harmony::test

#include "podman_bed.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>

#include "support/catch.hpp"
#include "support/test_image.hpp"

namespace harmony::test {

pid_t podman_service() {
  podman_client client{podman_socket};
  if (const auto pong = client.ping({}); !pong)
    throw std::runtime_error{pong.error().message};
  return std::stoi(
    run_tool({"systemctl", "show", "--property=MainPID", "--value", "podman.service"}));
}

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  const bool ok = ::bind(fd, any, size) == 0 && ::getsockname(fd, any, &size) == 0;
  ::close(fd);
  if (!ok)
    throw std::runtime_error{"no free port"};
  return ntohs(address.sin_port);
}

podman_bed::podman_bed() {
  static const bool ready = [] {
    run_tool({"systemctl", "start", "podman.socket"});
    build_test_image(bed_image);
    return true;
  }();
  static_cast<void>(ready);
  restart_agent();
}

podman_bed::~podman_bed() {
  try {
    run_tool({"podman", "rm", "--all", "--force", "--time", "0", "--volumes"});
    run_tool({"podman", "volume", "rm", "--all", "--force"});
  } catch (const std::exception& e) {
    WARN(e.what());
  }
}

void podman_bed::restart_agent() {
  owned_.reset();
  auto opened = state_store::open(folder_.str());
  if (!opened)
    throw std::runtime_error{opened.error().message};
  owned_ = std::move(*opened);
}

op_context podman_bed::context(std::chrono::milliseconds time, std::stop_token cancel) {
  return {bed_agent, *owned_, std::move(cancel), std::chrono::steady_clock::now() + time};
}

outcome<container_observed> podman_bed::observe(const desired<container_spec>& want) {
  auto ctx = context();
  return subject_.observe(want, ctx);
}

outcome<std::vector<change>> podman_bed::plan(const desired<container_spec>& want) {
  const auto seen = observe(want);
  if (!seen)
    return seen.error();
  return subject_type::plan(want, *seen);
}

outcome<void> podman_bed::step(const desired<container_spec>& want) {
  const auto todo = plan(want);
  if (!todo)
    return todo.error();
  if (todo->empty())
    return {};
  auto ctx = context();
  return subject_.apply(want, *todo, ctx);
}

void podman_bed::converge(const desired<container_spec>& want) {
  const auto done = step(want);
  INFO((done ? std::string{} : done.error().message));
  REQUIRE(done);
  const auto left = plan(want);
  REQUIRE(left);
  REQUIRE(left->empty());
}

container_state podman_bed::state(const desired<container_spec>& want) {
  const auto seen = observe(want);
  REQUIRE(seen);
  return std::get<container_state>(subject_type::report(*seen));
}

nlohmann::json podman_bed::inspect(const std::string& name) {
  return nlohmann::json::parse(run_tool({"podman", "inspect", name})).at(0);
}

desired<container_spec> want_app(const std::string& revision) {
  desired<container_spec> want;
  want.id = {"Container", "app"};
  want.spec.image = bed_image;
  want.revision = revision;
  return want;
}

} // namespace harmony::test

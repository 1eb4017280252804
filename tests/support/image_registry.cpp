#include "support/image_registry.hpp"

#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/eventually.hpp"
#include "support/nats_server.hpp"
#include "support/test_image.hpp"

namespace harmony::test {

namespace {

bool accepts(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool ok = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return ok;
}

} // namespace

void trust_registry(const std::string& address) {
  write_file("/etc/containers/registries.conf.d/harmony-test.conf",
             "[[registry]]\nlocation = \"" + address + "\"\ninsecure = true\n");
  run_tool({"systemctl", "stop", "podman.service"});
}

image_registry::image_registry() {
  const auto port = nats_server::unused_port();
  address_ = "127.0.0.1:" + std::to_string(port);
  const auto config = folder_ / "config.yml";
  write_file(config, "version: 0.1\nlog: {level: error}\nstorage:\n  filesystem:\n"
                     "    rootdirectory: "
                       + (folder_ / "data").string() + "\nhttp:\n  addr: " + address_ + "\n");
  trust_registry(address_);
  server_ = std::make_unique<process>(
    std::vector<std::string>{"/usr/bin/docker-registry", "serve", config.string()}, "",
    std::map<std::string, std::string>{});
  if (!eventually([&] { return accepts(port); }, std::chrono::seconds{10}))
    throw std::runtime_error{"no registry at " + address_ + ": " + server_->complaints()};
}

void image_registry::down() {
  server_.reset();
}

std::string image_registry::publish(const std::string& marker,
                                    const std::string& repository) const {
  const auto name = reference(repository);
  const auto digest = folder_ / "digest";
  build_test_image(name, marker);
  run_tool(
    {"podman", "push", "--quiet", "--tls-verify=false", "--digestfile", digest.string(), name});
  run_tool({"podman", "rmi", "--force", name});
  return read_file(digest);
}

} // namespace harmony::test

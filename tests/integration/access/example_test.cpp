// The configurations in config/ are what harmonyctl writes, and nats-server takes them.
#include <filesystem>

#include "fleet_bed.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

constexpr const char* admin = "UBRDBRN4EAP5O5MUEFZKDIYTXOUOM2SKIULCUYYYN4BJH7MRPIET7ILH";

run_result harmonyctl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), HARMONYCTL);
  return process{arguments, "", {}}.wait();
}

} // namespace

TEST_CASE("access: config/nats-server-fleet.conf -> as harmonyctl writes it") {
  const std::string devices = HARMONY_CONFIG_DIR "/devices.txt";
  const auto written = harmonyctl({"server-config", "--devices", devices, "--admin", admin,
                                   "--tls-cert", "/etc/nats/server.pem", "--tls-key",
                                   "/etc/nats/server.key", "--tls-ca", "/etc/nats/devices-ca.pem"});
  REQUIRE(written.code == 0);
  CHECK(written.out == read_file(HARMONY_CONFIG_DIR "/nats-server-fleet.conf"));
}

TEST_CASE("access: a configuration in either mode -> nats-server -t takes it") {
  temp_dir folder;
  std::vector<std::string> command{"server-config", "--store-dir", folder.str(), "--out",
                                   (folder / "server.conf").string()};
  const bool static_keys = GENERATE(true, false);
  if (static_keys)
    command.insert(command.end(),
                   {"--devices", HARMONY_CONFIG_DIR "/devices.txt", "--admin", admin});
  else
    command.insert(command.end(), {"--keys", (folder / "keys").string()});
  if (!static_keys && GENERATE(true, false))
    command.emplace_back("--in-memory");
  const auto written = harmonyctl(command);
  INFO(written.err);
  REQUIRE(written.code == 0);
  const auto tried = check_config((folder / "server.conf").string());
  INFO(tried.err);
  CHECK(tried.code == 0);
}

TEST_CASE("access: server-config with what does not fit -> refused, and nothing written") {
  temp_dir folder;
  const auto out = (folder / "server.conf").string();
  const auto devices = (folder / "devices").string();
  const std::string other = "UBPJOCD6LTT67QNQH76EKUTGHCHCKXSQLBPFJDOIRQTMBMGI7JPM56HW";
  const auto refused = [&](std::vector<std::string> more, int code, const std::string& says) {
    more.insert(more.begin(), {"server-config", "--out", out});
    const auto done = harmonyctl(more);
    CAPTURE(done.err, says);
    CHECK(done.code == code);
    CHECK(done.err.find(says) != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(out));
  };
  refused({"--device", "pi-1"}, 2, "no public nkey of a user");
  refused({"--device", "Pi=" + other}, 2, "'Pi' is no agent id");
  auto mistyped = other;
  mistyped[20] = mistyped[20] == 'A' ? 'B' : 'A';
  refused({"--device", "pi-1=" + mistyped}, 2, "no public nkey of a user");
  refused({"--admin", "x"}, 2, "no public nkey of a user");
  refused({"--admin", other, "--device", "pi-1=" + other}, 2, "has its own");
  write_file(devices, "pi-1 " + other + "\n# more\npi-2 " + other + "\n");
  refused({"--devices", devices}, 6, devices + ":3: the key of 'pi-2' stands here twice");
  write_file(devices, "pi-1 " + other + " extra\n");
  refused({"--devices", devices}, 6, devices + ":1: expected an id, a public nkey and");
  refused({"--devices", devices, "--keys", folder.str()}, 2, "--keys");
  refused({"--tls-cert", "/a"}, 2, "--tls-key");
  refused({"--store-dir", "relative"}, 2, "an absolute path");
  refused({"--listen", "0.0.0.0:4222\", x: \""}, 2, "HOST:PORT");
}

} // namespace harmony::test

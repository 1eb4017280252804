// `harmony-agent check`: judging what was seen of a device.
#include "apps/agent/check.hpp"

#include "support/catch.hpp"

namespace harmony::test {
namespace {

using Catch::Matchers::Contains;

device_sight good_device() {
  device_sight d;
  d.agent = "pi-1";
  d.store_url = "nats://x:4222";
  d.state_dir = "/var/lib/harmony-agent";
  d.running = true;
  d.root = true;
  d.may_change_network = true;
  folder_sight f;
  f.free_bytes = std::uint64_t{4} << 30;
  f.total_bytes = std::uint64_t{8} << 30;
  f.free_files = f.total_files = 1'000'000;
  d.state = f;
  d.wall = timestamp{std::chrono::seconds{1'769'860'800}};
  d.trust.local_store = true;
  d.store_read = std::optional{d.wall - std::chrono::hours{1}};
  d.clock_synchronised = true;
  d.systemd = outcome<void>{};
  d.podman = outcome<void>{};
  d.packages = outcome<bool>{false};
  return d;
}

/// The finding of this subject: a remedy stands exactly where something is wrong.
finding of(const device_sight& d, const std::string& subject) {
  for (const auto& each : judge(d))
    if (each.subject == subject) {
      CHECK(each.remedy.empty() == (each.result == verdict::ok));
      return each;
    }
  FAIL("no finding about '" << subject << "'");
  return {};
}

verdict of_folder(const std::function<void(folder_sight&)>& change, const std::string& subject) {
  auto d = good_device();
  auto f = *d.state;
  change(f);
  d.state = f;
  return of(d, subject).result;
}

TEST_CASE("judge device: all well -> ok") {
  for (const auto& each : judge(good_device())) {
    INFO(each.subject << ": " << each.message);
    CHECK(each.result == verdict::ok);
  }
}

TEST_CASE("judge device: configuration, agent, user -> each fault said") {
  auto d = good_device();
  d.config_fault = "agent.toml:3: store: expected …";
  CHECK(of(d, "configuration").result == verdict::fail);
  CHECK(of(d, "configuration").message == d.config_fault);
  d.running = false;
  CHECK(of(d, "agent").result == verdict::fail);
  d.may_change_network = false;
  CHECK_THAT(of(d, "user").message, Contains("CAP_NET_ADMIN"));
  d.root = false;
  CHECK(of(d, "user").result == verdict::warn);
}

TEST_CASE("judge device: the store -> away, no bucket, denied: each its own remedy") {
  auto d = good_device();
  d.store_read = std::optional<timestamp>{};
  CHECK(of(d, "store").result == verdict::ok);
  CHECK_THAT(of(d, "store").message, Contains("does not have a manifest"));
  d.store_write = failure{ec::store_denied, "not permitted"};
  CHECK(of(d, "permissions").result == verdict::fail);
  d.store_read = failure{ec::store_unavailable, "no connection"};
  CHECK_THAT(of(d, "store").remedy, Contains("agent.toml"));
  for (const auto& each : judge(d))
    CHECK(each.subject != "permissions"); // not known
  d.store_read = failure{ec::bucket_not_found, "no bucket"};
  CHECK_THAT(of(d, "store").remedy, Contains("harmonyctl init"));
  d.store_read = failure{ec::store_denied, "no"};
  CHECK_THAT(of(d, "store").remedy, Contains("credentials"));
}

TEST_CASE("judge device: the clock -> never set, behind the store, not kept right") {
  auto d = good_device();
  d.clock_synchronised = false;
  CHECK(of(d, "clock").result == verdict::warn);
  d.store_read = std::optional{d.wall + std::chrono::seconds{5}};
  CHECK(of(d, "clock").result == verdict::warn);
  d.store_read = std::optional{d.wall + std::chrono::minutes{5}};
  CHECK(of(d, "clock").result == verdict::fail);
  CHECK_THAT(of(d, "clock").message, Contains("at least 5m behind"));
  d.wall = timestamp{};
  CHECK_THAT(of(d, "clock").message, Contains("1970"));
}

TEST_CASE("judge device: the state folder -> closed, read-only, open to others, another user's") {
  auto d = good_device();
  d.state = failure{ec::io_error, "no such folder"};
  CHECK(of(d, "state folder").result == verdict::fail);
  CHECK(of_folder([](folder_sight& f) { f.read_only = true; }, "state folder") == verdict::fail);
  CHECK(of_folder([](folder_sight& f) { f.mode = 0755; }, "state folder") == verdict::warn);
  CHECK(of_folder([](folder_sight& f) { f.own = false; }, "state folder") == verdict::warn);
}

TEST_CASE("judge device: disk -> ok from 128 MiB, warn from 16, fail below or without inodes") {
  const auto with = [](std::uint64_t mebibytes) {
    return of_folder([&](folder_sight& f) { f.free_bytes = mebibytes << 20; }, "disk");
  };
  CHECK(with(128) == verdict::ok);
  CHECK(with(127) == verdict::warn);
  CHECK(with(16) == verdict::warn);
  CHECK(with(15) == verdict::fail);
  CHECK(of_folder([](folder_sight& f) { f.free_files = 999; }, "disk") == verdict::fail);
  // Some file systems do not count files.
  CHECK(of_folder([](folder_sight& f) { f.free_files = f.total_files = 0; }, "disk")
        == verdict::ok);
}

TEST_CASE("judge device: a runtime -> off: ok, and which kinds that costs; away: fail") {
  auto d = good_device();
  d.systemd.reset();
  d.podman.reset();
  d.packages.reset();
  CHECK_THAT(of(d, "systemd").message, Contains("SystemdUnit"));
  CHECK_THAT(of(d, "podman").message, Contains("Container"));
  CHECK_THAT(of(d, "apt").message, Contains("Package"));
  const failure away{ec::runtime_unavailable, "no such socket"};
  d.systemd = outcome<void>{away};
  d.podman = outcome<void>{away};
  d.packages = outcome<bool>{away};
  CHECK(of(d, "systemd").result == verdict::fail);
  CHECK_THAT(of(d, "podman").remedy, Contains("podman.socket"));
  CHECK(of(d, "apt").result == verdict::fail);
  d.packages = outcome<bool>{true};
  CHECK(of(d, "apt").result == verdict::warn);
}

} // namespace
} // namespace harmony::test

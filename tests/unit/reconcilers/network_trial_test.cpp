// Confirm or revert.

#include "unit/reconcilers/network_world.hpp"

namespace harmony::test {

namespace {

/// A change that cuts the device off: the store is reached only over 10.0.0.2.
struct cut_off_world : network_world {
  cut_off_world() {
    want.spec.addresses = {"10.0.0.3/24"};
    want.spec.mtu = 1400;
    want.spec.confirm = 30;
    device.store.rule = [this] { return net.links.at("eth0").mtu == 1500; };
  }
};

} // namespace

TEST_CASE("network: store reached after the change -> confirmed, kept") {
  network_world w;
  w.want.spec.mtu = 1400;
  bool recorded_before = false;
  w.net.before = [&](const std::string&) { recorded_before = w.record().trial.has_value(); };
  check_ok(w.converge());
  CHECK(recorded_before);
  CHECK_FALSE(w.record().trial);
  CHECK(w.device.store.asked == 2);
  CHECK(w.planned().empty());
}

TEST_CASE("network: store reached again late, but in time -> waited for, kept") {
  network_world w;
  w.want.spec.mtu = 1400;
  w.device.store.rule = [&] { return w.device.store.asked == 1 || w.device.store.asked > 20; };
  check_ok(w.converge());
  CHECK(w.net.links["eth0"].mtu == 1400);
  CHECK(w.device.store.asked == 21);
}

TEST_CASE("network: store not reached in time -> undone exactly, said what") {
  cut_off_world w;
  const auto before = w.net.links;
  const auto begin = w.now;
  const auto done = w.converge();
  check_code(done, ec::network_reverted);
  CHECK(done.error().message.find("mtu (1500 -> 1400)") != std::string::npos);
  CHECK(done.error().message.find("10.0.0.3/24") != std::string::npos);
  CHECK(w.net.links == before);
  CHECK_FALSE(w.is_recorded());
  CHECK(w.now - begin >= std::chrono::seconds{30});
  CHECK(w.now - begin <= std::chrono::seconds{33});
}

TEST_CASE("network: reverted -> what the agent owned before it owns again") {
  network_world w;
  w.want.spec.addresses = {"10.0.0.3/24"};
  w.want.spec.routes = {{"10.1.0.0/16", "10.0.0.9", 0}};
  check_ok(w.converge());
  const auto before = w.net.links;
  const auto record = w.record();
  w.device.store.rule = [&] { return w.net.links == before; };
  SECTION("other address and route") {
    w.want.spec.addresses = {"10.0.0.4/24"};
    w.want.spec.routes = {{"default", "10.0.0.7", 9}};
  }
  SECTION("down: the routes of others come back too") {
    w.want.spec.state = link_state::down;
  }
  check_code(w.converge(), ec::network_reverted);
  auto after = w.net.links;
  std::sort(after["eth0"].routes.begin(), after["eth0"].routes.end(),
            [](auto& a, auto& b) { return describe(a.route) > describe(b.route); });
  CHECK(after == before);
  CHECK(w.record() == record);
}

TEST_CASE("network: made or replaced link is not confirmed -> it goes, the one before comes back") {
  network_world w;
  w.want.spec = {"v7", link_type::vlan, "eth0", 7, {}, {}, {}, {"10.7.0.1/24"}, {}, 30};
  SECTION("made") {
    w.device.store.rule = [&] { return w.net.links.count("v7") == 0; };
    check_code(w.converge(), ec::network_reverted);
    CHECK(w.net.links.count("v7") == 0);
    CHECK_FALSE(w.is_recorded());
  }
  SECTION("replaced") {
    check_ok(w.converge());
    const auto before = w.net.links;
    w.device.store.rule = [&] { return w.net.links.at("v7").vlan_id == 7; };
    w.want.spec.vlan_id = 8;
    check_code(w.converge(), ec::network_reverted);
    CHECK(w.net.links == before);
    w.want.spec.vlan_id = 7;
    CHECK(w.planned().empty());
  }
}

TEST_CASE("network: store away before the change -> made and kept: there is nothing to lose") {
  network_world w;
  w.want.spec.mtu = 1400;
  w.device.store.rule = [] { return false; };
  check_ok(w.converge());
  CHECK(w.net.links["eth0"].mtu == 1400);
  CHECK_FALSE(w.record().trial);
  CHECK(w.device.store.asked == 1);
}

TEST_CASE(
  "network: confirmSeconds 0 -> the store is never asked, what failed stays as far as it is") {
  network_world w;
  w.want.spec.mtu = 1400;
  w.want.spec.addresses = {"10.0.0.3/24"};
  w.want.spec.confirm = 0;
  w.net.refuses = "add 10.0.0.3/24";
  check_code(w.converge(), ec::network_failed);
  CHECK(w.net.links["eth0"].mtu == 1400);
  CHECK(w.device.store.asked == 0);
}

TEST_CASE("network: step of a change to be confirmed fails -> the others are undone at once") {
  network_world w;
  w.want.spec.mtu = 1400;
  w.want.spec.addresses = {"10.0.0.3/24"};
  w.net.refuses = "add 10.0.0.3/24";
  const auto before = w.net.links;
  check_code(w.converge(), ec::network_failed);
  CHECK(w.net.links == before);
  CHECK_FALSE(w.is_recorded());
}

TEST_CASE("network: killed between change and confirmation -> the next agent settles it") {
  cut_off_world w;
  const auto before = w.net.links;
  bool reached = true; // the first question, before the change
  w.device.store.rule = [&]() -> bool {
    if (!std::exchange(reached, false))
      throw killed{};
    return true;
  };
  CHECK_THROWS_AS(w.converge(), killed);
  REQUIRE(w.record().trial);
  CHECK(w.planned() == "update confirmation unconfirmed -> settled");
  SECTION("in time and reached: confirmed") {
    w.device.store.rule = [] { return true; };
    check_ok(w.converge());
    CHECK(w.net.links["eth0"].mtu == 1400);
    CHECK(w.planned().empty());
  }
  SECTION("in time, not reached: waited for until the time is over, undone") {
    w.device.store.rule = [] { return false; };
    check_code(w.converge(), ec::network_reverted);
    CHECK(w.device.store.asked > 20);
    CHECK(w.net.links == before);
    CHECK_FALSE(w.is_recorded());
  }
  SECTION("time over: undone") {
    w.now += std::chrono::hours{1};
    w.device.store.rule = [] { return true; };
    check_code(w.converge(), ec::network_reverted);
    CHECK(w.net.links == before);
  }
  SECTION("booted meanwhile: what is left of it goes, the boot's own state stays") {
    w.boot = "boot-2";
    w.now = std::chrono::seconds{20};
    w.net.links["eth0"].addresses = {{"172.16.0.2/24", true}, {"10.0.0.3/24", true}};
    w.net.links["eth0"].mtu = 1492;
    check_code(w.converge(), ec::network_reverted);
    CHECK(w.addresses() == "172.16.0.2/24");
    CHECK(w.net.links["eth0"].mtu == 1492);
  }
  SECTION("its link is gone: forgotten") {
    w.net.links.erase("eth0");
    w.now += std::chrono::hours{1};
    check_code(w.converge(), ec::network_reverted);
    CHECK(w.planned() == "LinkNotFound");
  }
  SECTION("left the manifest: taken away") {
    check_ok(w.remove());
    CHECK(w.addresses() == "10.0.0.2/24");
    CHECK_FALSE(w.is_recorded());
  }
  SECTION("another resource while the store is away: waits for this one") {
    w.want = {{"Network", "second"}, {}, {}, {}};
    w.want.spec.link = "eth1";
    w.device.store.rule = [] { return false; };
    check_code(w.converge(), ec::network_failed);
    CHECK_FALSE(w.net.links["eth1"].up);
  }
}

TEST_CASE("network: killed while undoing -> undone by the next agent, however often it dies") {
  for (int kill_at = 0; kill_at < 4; ++kill_at) {
    cut_off_world w;
    const auto before = w.net.links;
    int undoing = -1;
    w.net.before = [&](const std::string&) {
      if (w.now >= std::chrono::milliseconds{1'030'000} && ++undoing == kill_at)
        throw killed{};
    };
    bool died = false;
    try {
      (void)w.converge();
    } catch (const killed&) {
      died = true;
    }
    INFO("killed at step " << kill_at);
    CHECK(died == (kill_at < 2));
    w.net.before = [](const std::string&) {};
    if (died)
      check_code(w.converge(), ec::network_reverted);
    CHECK(w.net.links == before);
    CHECK_FALSE(w.is_recorded());
  }
}

TEST_CASE("network: interrupted while it waits -> undone, canceled") {
  cut_off_world w;
  const auto before = w.net.links;
  w.device.store.rule = [&] {
    if (w.device.store.asked == 3)
      w.stop.request_stop();
    return w.device.store.asked == 1;
  };
  check_code(w.converge(), ec::canceled);
  CHECK(w.net.links == before);
  CHECK(w.device.store.asked == 3);
}

TEST_CASE("network: operation's deadline before the confirmation's -> recorded, settled later") {
  cut_off_world w;
  w.config.reserve = std::chrono::hours{1}; // over at once
  check_code(w.converge(), ec::timed_out);
  CHECK(w.record().trial);
  w.config.reserve = std::chrono::seconds{1};
  w.device.store.rule = [] { return true; };
  check_ok(w.converge());
  CHECK(w.planned().empty());
}

} // namespace harmony::test

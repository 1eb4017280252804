// The agent's own binary on a site whose only way to the store is the link that it manages.

#include <sys/stat.h>

#include <thread>

#include "integration/network/network_bed.hpp"
#include "support/agent_process.hpp"
#include "support/eventually.hpp"
#include "support/nats_server.hpp"

namespace harmony::test {

namespace {

/// A network namespace `site` with eth0, whose other end is the server's 10.77.0.1.
class site {
public:
  site() {
    must("ip netns add site && ip link add store0 type veth peer name eth0 netns site && "
         "ip address add 10.77.0.1/24 dev store0 && ip link set store0 up && "
         "ip -n site address add 10.77.0.2/24 dev eth0 && ip -n site link set eth0 up");
  }
  ~site() { succeeds("ip link delete store0; ip netns delete site"); }
  site(const site&) = delete;
  site& operator=(const site&) = delete;

  /// A program that runs the agent by `how`.
  std::string agent(const std::string& how = "ip netns exec site") {
    const auto path = folder_ / "agent";
    write_file(path, "#!/bin/sh\nexec " + how + " " HARMONY_AGENT " \"$@\"\n");
    ::chmod(path.c_str(), 0755);
    return path.string();
  }

private:
  temp_dir folder_;
};

std::string url_of(const nats_server& server) {
  return "nats://10.77.0.1:" + std::to_string(server.port());
}

std::string eth0(const std::string& fields) {
  return R"({"kind":"Network","name":"uplink","spec":{"link":"eth0",)" + fields + "}}";
}

bool shows(const std::string& command, const std::string& text) {
  return must(command).find(text) != std::string::npos;
}

/// Waits, 20 s at most.
bool becomes_true(const std::function<bool()>& holds) {
  return eventually(holds, seconds{20});
}

/// Waits until the site's link is as said.
bool becomes(const std::string& text) {
  return becomes_true([&] { return shows("ip -n site address show eth0", text); });
}

const std::vector<std::string> alone{"--podman", "off", "--systemd", "off"};
const std::string uplink = "Network/uplink";

} // namespace

TEST_CASE("network agent: good change -> confirmed; one that cuts off -> undone and reported") {
  site s;
  nats_server server{nats_server::everywhere{}};
  agent_process agent{s.agent(), alone, url_of(server)};
  agent.start();
  agent.apply(eth0(R"("addresses":["10.77.0.3/24"],"mtu":1400,"confirmSeconds":10)"));
  REQUIRE(agent.await_standing(uplink, "Ready") == "Ready");
  CHECK(shows("ip -n site address show eth0", "10.77.0.3/24"));

  must("ip -n site address delete 10.77.0.3/24 dev eth0");
  CHECK(becomes("10.77.0.3/24"));

  const auto before = must("ip -n site -o -4 address show eth0");
  agent.apply(eth0(R"("addresses":["10.77.0.4/24"],"state":"down","confirmSeconds":2)"));
  CHECK(agent.await_standing(uplink, "Failed NetworkReverted") == "Failed NetworkReverted");
  const auto status = agent.status();
  const auto found = status.resources.find({"Network", "uplink"});
  REQUIRE(found != status.resources.end());
  CHECK(found->second.message.find("state (up -> down)") != std::string::npos);

  // The next good declaration is taken up although the former one keeps being tried.
  agent.apply(eth0(R"("addresses":["10.77.0.3/24"],"mtu":1400,"confirmSeconds":10)"));
  CHECK(agent.await_standing(uplink, "Ready") == "Ready");
  CHECK(must("ip -n site -o -4 address show eth0") == before);

  agent.apply("");
  REQUIRE(agent.converged());
  CHECK_FALSE(shows("ip -n site address show eth0", "10.77.0.3/24"));
  CHECK(shows("ip -n site address show eth0", "10.77.0.2/24"));
  CHECK(agent.stop() == 0);
}

TEST_CASE("network agent: killed while it is cut off -> the next one undoes it") {
  site s;
  nats_server server{nats_server::everywhere{}};
  agent_process agent{s.agent(), alone, url_of(server)};
  agent.start();
  agent.apply(eth0(R"("state":"down","confirmSeconds":3)"));
  REQUIRE(becomes("state DOWN"));
  agent.kill();
  CHECK(shows("ip -n site address show eth0", "state DOWN"));
  agent.start();
  CHECK(agent.await_standing(uplink, "Failed NetworkReverted") == "Failed NetworkReverted");
  CHECK(agent.stop() == 0);
  CHECK(shows("ip -n site address show eth0", "state UP"));
}

TEST_CASE("network agent: stopped while it is cut off -> undone before it ends") {
  site s;
  nats_server server{nats_server::everywhere{}};
  agent_process agent{s.agent(), alone, url_of(server)};
  agent.start();
  agent.apply(eth0(R"("state":"down","confirmSeconds":60)"));
  REQUIRE(becomes("state DOWN"));
  CHECK(agent.stop() == 0);
  CHECK(shows("ip -n site address show eth0", "state UP"));
}

TEST_CASE("network agent: its own address changes -> confirmed over a fresh connection") {
  site s;
  nats_server server{nats_server::everywhere{}};
  agent_process agent{s.agent(), alone, url_of(server)};
  agent.start();
  agent.apply(eth0(R"("addresses":["10.77.0.3/24"])"));
  REQUIRE(agent.await_standing(uplink, "Ready") == "Ready");
  must("ip -n site address delete 10.77.0.2/24 dev eth0");
  REQUIRE(becomes_true(
    [] { return shows("ip netns exec site ss -tnH state established", "10.77.0.3:"); }));
  // The agent's connection notices after some 10 s that nobody answers.
  agent.apply(eth0(R"("addresses":["10.77.0.4/24"],"confirmSeconds":6)"));
  CHECK(agent.await_standing(uplink, "Ready") == "Ready");
  CHECK(agent.converged());
  CHECK(shows("ip -n site address show eth0", "10.77.0.4/24"));
  CHECK_FALSE(shows("ip -n site address show eth0", "10.77.0.3/24"));
  CHECK(agent.status().resources.at({"Network", "uplink"}).attempts == 1);
  CHECK(agent.stop() == 0);
}

TEST_CASE("network agent: bad resources -> each its own reason, the good one converges") {
  site s;
  nats_server server{nats_server::everywhere{}};
  must("ip -n site link add theirs type bridge && ip -n site link add held type ifb && "
       "ip -n site link set held master theirs");
  agent_process agent{s.agent(), alone, url_of(server)};
  agent.start();
  const auto resource = [](const std::string& name, const std::string& spec) {
    return R"(,{"kind":"Network","name":")" + name + R"(","spec":{)" + spec + "}}";
  };
  agent.apply(
    eth0(R"("addresses":["10.77.0.3/24"])") + resource("absent", R"("link":"eth7")")
    + resource("theirs", R"("link":"theirs","type":"bridge")")
    + resource("held", R"("link":"mine","type":"bridge","members":["held"])")
    + resource("parent", R"("link":"v1","type":"vlan","parent":"eth7","vlanId":1)")
    + resource("gateway", R"("link":"lo","routes":[{"to":"10.1.0.0/16","via":"9.9.9.9"}])")
    + resource("host", R"("link":"held","routes":[{"to":"10.1.2.3/16"}])")
    + resource("orphan", R"("link":"v2","type":"vlan")"));
  for (const auto& [name, standing] :
       std::vector<std::pair<std::string, std::string>>{{"uplink", "Ready"},
                                                        {"absent", "Failed LinkNotFound"},
                                                        {"theirs", "Failed NameConflict"},
                                                        {"held", "Failed NameConflict"},
                                                        {"parent", "Failed LinkNotFound"},
                                                        {"gateway", "Failed NetworkFailed"},
                                                        {"host", "Failed InvalidSpec"},
                                                        {"orphan", "Rejected InvalidSpec"}})
    CHECK(agent.await_standing("Network/" + name, standing) == standing);
  must("ip -n site link add eth7 type ifb");
  CHECK(agent.await_standing("Network/absent", "Ready") == "Ready");
  CHECK(agent.stop() == 0);
}

TEST_CASE("network agent: without CAP_NET_ADMIN -> CapabilityMissing, said why") {
  site s;
  agent_process agent{s.agent("setpriv --bounding-set=-net_admin"), alone};
  agent.start();
  agent.apply(eth0(R"("mtu":1400)"));
  CHECK(agent.await_standing(uplink, "Rejected CapabilityMissing") == "Rejected CapabilityMissing");
  CHECK(agent.status().resources.at({"Network", "uplink"}).message.find("CAP_NET_ADMIN")
        != std::string::npos);
  CHECK(agent.stop() == 0);
}

} // namespace harmony::test

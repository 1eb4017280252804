// Metrics: the text, and who gets it.
#include "apps/agent/metrics.hpp"

#include <sys/stat.h>

#include "apps/agent/metrics_server.hpp"
#include "support/catch.hpp"
#include "support/shell.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {
namespace {

using Catch::Matchers::Contains;

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

void fill(metrics_source& s) {
  s.agent = "pi-1";
  s.version = "1\"2\\3";
  const auto beats = std::make_shared<heartbeat_counters>();
  beats->sent = 7;
  s.beats = beats;
  const auto writes = std::make_shared<status_counters>();
  writes->connected = true;
  writes->failed = 2;
  s.writes = writes;
  const auto lane = std::make_shared<lane_counters>();
  ++lane->of(operation_kind::apply).done;
  ++lane->of(operation_kind::remove).failed;
  lane->stuck = 3;
  s.lanes["files"] = lane;
}

} // namespace

TEST_CASE("metrics: a status -> generation, phases, sums") {
  agent_status s;
  s.observed_generation = 7;
  s.phase = agent_phase::degraded;
  s.resources[{"File", "a"}].phase = resource_phase::ready;
  s.resources[{"File", "b"}].phase = resource_phase::ready;
  s.resources[{"File", "c"}].phase = resource_phase::failed;
  s.resources[{"File", "c"}].restarts = 4;
  s.resources[{"File", "a"}].attempts = 1;
  const auto text = metrics_of(s);
  CHECK(has_line(text, "harmony_generation 7"));
  CHECK(has_line(text, "harmony_agent_phase{phase=\"Degraded\"} 1"));
  CHECK(has_line(text, "harmony_agent_phase{phase=\"Converged\"} 0"));
  CHECK(has_line(text, "harmony_resources{phase=\"Ready\"} 2"));
  CHECK(has_line(text, "harmony_resources{phase=\"Failed\"} 1"));
  CHECK(has_line(text, "harmony_resources{phase=\"Removed\"} 0"));
  CHECK(has_line(text, "harmony_resource_restarts 4"));
  CHECK(has_line(text, "harmony_resource_attempts 1"));
}

TEST_CASE("metrics: counters -> one sample each, labels escaped; no status yet -> left out") {
  metrics_source s;
  fill(s);
  const auto text = s.text();
  CHECK(has_line(text, "harmony_agent_info{agent=\"pi-1\",version=\"1\\\"2\\\\3\"} 1"));
  CHECK(has_line(text, "harmony_store_connected 1"));
  CHECK(has_line(text, "harmony_heartbeats_total{result=\"sent\"} 7"));
  CHECK(has_line(text, "harmony_status_writes_total{result=\"failed\"} 2"));
  CHECK(has_line(text,
                 "harmony_operations_total{lane=\"files\",operation=\"apply\",result=\"done\"} 1"));
  CHECK(has_line(
    text, "harmony_operations_total{lane=\"files\",operation=\"remove\",result=\"failed\"} 1"));
  CHECK(has_line(text, "harmony_lane_stuck{lane=\"files\"} 3"));
  CHECK(text.find("harmony_generation") == std::string::npos);
  CHECK(text.find("process_resident_memory_bytes 0\n") == std::string::npos);
  s.keep(write_status({.agent = "pi-1", .boot_id = "0123456789abcdef"}));
  CHECK(has_line(s.text(), "harmony_agent_phase{phase=\"Starting\"} 1"));
}

TEST_CASE("metrics: addresses -> the loopback or a unix socket, and nothing else") {
  CHECK(parse_metrics_address("127.0.0.1:9469")->port == 9469);
  CHECK(parse_metrics_address("[::1]:9469")->host == "::1");
  CHECK(parse_metrics_address("unix:/run/x")->path == "/run/x");
  for (const auto* wrong :
       {"", "9469", ":9469", "0.0.0.0:9469", "192.168.0.1:9469", "[::]:9469", "localhost:9469",
        "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:9x", "unix:", "unix:relative"})
    CHECK_FALSE(parse_metrics_address(wrong).ok());
  CHECK_FALSE(parse_metrics_address("unix:/" + std::string(200, 'x')).ok());
}

TEST_CASE("metrics server: GET /metrics -> the text; another path -> 404; again and again") {
  int asked = 0;
  const auto server = metrics_server::start({"127.0.0.1", 0, {}},
                                            [&] { return "n " + std::to_string(++asked) + "\n"; });
  REQUIRE(server.ok());
  const auto url = "http://127.0.0.1:" + std::to_string((*server)->port());
  CHECK(must("curl -sf " + url + "/metrics") == "n 1");
  CHECK(must("curl -sf " + url + "/metrics") == "n 2");
  CHECK_THAT(must("curl -si " + url + "/"), Contains("404 Not Found"));
  CHECK_THAT(must("curl -si " + url + "/metrics"), Contains("text/plain; version=0.0.4"));
  CHECK(metrics_server::start({"127.0.0.1", (*server)->port(), {}}, {}).error().code
        == ec::port_in_use);
}

TEST_CASE(
  "metrics server: a unix socket -> for owner and group; a stale one is replaced; gone after") {
  const temp_dir at;
  const auto path = (at / "s").string();
  const auto text = [] { return std::string{"x 1\n"}; };
  {
    const auto server = metrics_server::start({{}, 0, path}, text);
    REQUIRE(server.ok());
    struct stat info {};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    CHECK((info.st_mode & 0777U) == 0660U);
    CHECK(must("curl -sf --unix-socket " + path + " http://x/metrics") == "x 1");
    CHECK(metrics_server::start({{}, 0, path}, text).ok());
  }
  CHECK_FALSE(std::filesystem::exists(path));
  write_file(path, "not a socket");
  CHECK_FALSE(metrics_server::start({{}, 0, path}, text).ok());
  CHECK(read_file(path) == "not a socket");
}

} // namespace harmony::test

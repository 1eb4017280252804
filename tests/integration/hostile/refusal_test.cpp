// A server that is there and says no: to the log-in, to a write, to a certificate, to a size.
#include <csignal>
#include <nats/nats.h>
#include <thread>

#include "certificate.hpp"
#include "site.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"

namespace harmony::test {

namespace {

using std::chrono::steady_clock;

std::string users(const std::string& password, const std::string& permissions = {}) {
  return "authorization { users = [ { user: op, password: op }, { user: pi, password: " + password
         + permissions + " } ] }";
}

constexpr const char* status_denied =
  ", permissions: { publish: { deny: [\"$KV.actual-state.>\"] } }";

struct refusing_bed {
  explicit refusing_bed(const std::string& extra, std::vector<std::string> flags = {},
                        const std::string& scheme = "nats")
    : server(extra), d(op_url(), url_at(server.port(), "pi:right", scheme), std::move(flags)) {}

  [[nodiscard]] std::string op_url() const { return url_at(server.port(), "op:op"); }

  void converge() {
    d.agent.start();
    operator_link op{op_url()};
    op.apply(1, d.file(), "1");
    op.until(steady_clock::now(), converged_at(1));
  }

  nats_server server;
  device d;
};

} // namespace

TEST_CASE("hostile: log-in revoked and given back -> said, asked for again, back", "[hostile]") {
  refusing_bed bed{users("right")};
  bed.converge();
  bed.server.reload(users("other"));
  REQUIRE(bed.d.agent.logged("check the credentials"));
  operator_link op{bed.op_url()};
  op.apply(2, bed.d.file(), "2");
  CHECK(op.status().observed_generation == 1);
  CHECK(read_file(bed.d.file()) == "1");
  bed.server.reload(users("right"));
  const auto from = steady_clock::now();
  operator_link again{bed.op_url()};
  const auto back = again.until(from, converged_at(2));
  CHECK(back <= std::chrono::seconds{6}); // a server that refuses is asked every 5 s at most
  report("log-in revoked and given back", "status and desire", back);
  again.check_history();
}

TEST_CASE("hostile: status may not be written, then it may -> said, heartbeats go on, then current",
          "[hostile]") {
  refusing_bed bed{users("right")};
  bed.converge();
  bed.server.reload(users("right", status_denied));
  operator_link op{bed.op_url()};
  beat_log beats{op.link()};
  beats.next(steady_clock::now());
  op.apply(2, bed.d.file(), "2");
  REQUIRE(bed.d.agent.logged("cannot write its status: StoreDenied"));
  CHECK(eventually([&] { return read_file(bed.d.file()) == "2"; }, patience));
  CHECK(op.status().observed_generation == 1);
  for (int i = 0; i < 3; ++i)
    beats.next(steady_clock::now());
  const auto gap = beats.longest_gap();
  CHECK(gap <= beat_period + beat_slack);
  report("permission denied", "longest gap between heartbeats", gap);
  bed.server.reload(users("right"));
  const auto from = steady_clock::now();
  operator_link again{bed.op_url()};
  const auto back = again.until(from, converged_at(2));
  CHECK(back <= std::chrono::seconds{20});
  report("permission denied", "status current once allowed", back);
  again.check_history();
}

TEST_CASE("hostile: certificate of another authority -> refused, said; the CA file is renewed -> "
          "back without a restart",
          "[hostile]") {
  temp_dir keys;
  const auto ca = (keys / "ca.pem").string();
  const auto first = make_certificate(keys.str(), "first");
  const auto second = make_certificate(keys.str(), "second");
  write_file(ca, read_file(first.certificate));
  const auto trusted = (keys / "operators.pem").string(); // they trust both all along
  write_file(trusted, read_file(first.certificate) + read_file(second.certificate));
  nats_server server{tls_config(first)};
  const auto url = url_at(server.port(), {}, "tls");
  device d{url, url, {"--store-ca", ca}, trusted};
  d.agent.start();
  {
    operator_link op{url, trusted};
    op.apply(1, d.file(), "1");
    op.until(steady_clock::now(), converged_at(1));
  }
  const auto rotate = [&] {
    server.reload(tls_config(second));
    server.kill();
    server.start();
  };
  SECTION("the file has both from before -> back within two seconds") {
    write_file(ca, read_file(trusted));
    rotate();
    const auto from = steady_clock::now();
    operator_link op{url, trusted};
    op.apply(2, d.file(), "2");
    const auto back = op.until(from, converged_at(2));
    CHECK(back <= back_within);
    report("TLS certificate rotated, known", "status and desire", back);
    op.check_history();
  }
  SECTION("the file is renewed later") {
    rotate();
    REQUIRE(d.agent.logged("SSL handshake error"));
    operator_link op{url, trusted};
    op.apply(2, d.file(), "2");
    write_file(ca, read_file(second.certificate));
    const auto from = steady_clock::now();
    const auto back = op.until(from, converged_at(2));
    CHECK(back <= std::chrono::seconds{6}); // a server that it cannot trust is asked every 5 s
    report("TLS certificate rotated, renewed late", "status and desire", back);
    op.check_history();
  }
}

TEST_CASE("hostile: status larger than the server takes -> shortened, and it says so",
          "[hostile]") {
  nats_server server{"max_payload: 8KB"};
  device d{server.url(), server.url()};
  d.agent.start();
  operator_link op{server.url()};
  std::string all;
  for (int i = 0; i < 40; ++i)
    all += (all.empty() ? "" : ",") + std::string{R"({"kind":"File","name":"f)"} + std::to_string(i)
           + R"(","spec":{"path":")" + (d.folder / ("f" + std::to_string(i))).string()
           + R"(","content":"x"}})";
  const auto from = steady_clock::now();
  op.put_desired(R"({"apiVersion":"harmony/v1","kind":"AgentManifest","metadata":{"agent":"pi-1",)"
                 R"("generation":1},"spec":{"resources":[)"
                 + all + "]}}");
  const auto back = op.until(from, converged_at(1));
  const auto now = op.status();
  CHECK(says(now, "StatusShortened"));
  CHECK(now.resources.size() == 40);
  report("payload limit 8 KB", "shortened status", back);
  op.check_history();
  SECTION("the limit is raised -> the whole status") {
    server.reload("max_payload: 2MB");
    d.agent.kill();
    d.agent.start();
    op.until(steady_clock::now(), [](const agent_status& s) {
      return converged_at(1)(s) && !says(s, "StatusShortened");
    });
  }
}

TEST_CASE("hostile: agent too slow for what the server sends -> cut off by it, back once it reads",
          "[hostile]") {
  nats_server server{"max_pending: 2MB\nwrite_deadline: \"200ms\""};
  device d{server.url(), server.url()};
  d.agent.start();
  operator_link op{server.url()};
  op.apply(1, d.file(), "1");
  op.until(steady_clock::now(), converged_at(1));
  ::kill(d.agent.pid(), SIGSTOP);
  natsConnection* flood = nullptr;
  REQUIRE(natsConnection_ConnectTo(&flood, server.url().c_str()) == NATS_OK);
  const std::string much(500'000, 'x');
  const auto until = steady_clock::now() + patience;
  while (server.log().find("Slow Consumer Detected") == std::string::npos
         && steady_clock::now() < until)
    REQUIRE(natsConnection_PublishString(flood, "desired-evt.pi-1", much.c_str()) == NATS_OK);
  natsConnection_Destroy(flood);
  CHECK(server.log().find("Slow Consumer Detected") != std::string::npos);
  op.apply(2, d.file(), "2");
  ::kill(d.agent.pid(), SIGCONT);
  const auto from = steady_clock::now();
  const auto back = op.until(from, converged_at(2));
  CHECK(back <= back_within);
  report("slow consumer", "status and desire", back);
  op.check_history();
}

} // namespace harmony::test

// The way to the server: half open, slow, lossy, or to a server that does not finish its sentence.
#include <cstdlib>
#include <thread>

#include "site.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

using std::chrono::steady_clock;

/// A device that reaches its server through a proxy, and an operator that does not.
struct link_bed {
  link_bed() : proxy(server.port()), d(server.url(), url_at(proxy.port())) {}

  void converge() {
    d.agent.start();
    operator_link op{server.url()};
    op.apply(1, d.file(), "1");
    op.until(steady_clock::now(), converged_at(1));
  }

  nats_server server;
  tcp_proxy proxy;
  device d;
};

} // namespace

TEST_CASE("hostile: half-open link -> noticed within twelve seconds, and back at once",
          "[hostile][.long]") {
  link_bed bed;
  bed.converge();
  operator_link op{bed.server.url()};
  const auto from = steady_clock::now();
  bed.proxy.forget();
  op.apply(2, bed.d.file(), "2"); // its hint is lost on the way
  REQUIRE(bed.d.agent.logged("store is not connected: connection lost"));
  const auto noticed = since(from);
  CHECK(noticed <= noticed_within);
  report("half-open link", "noticed", noticed);
  const auto again = steady_clock::now();
  const auto back = op.until(again, converged_at(2));
  CHECK(back <= back_within);
  report("half-open link", "back after that", back);
  op.check_history();
}

TEST_CASE("hostile: two seconds each way -> connected, and everything works, late",
          "[hostile][.long]") {
  link_bed bed;
  bed.proxy.delay(std::chrono::seconds{2});
  const auto from = steady_clock::now();
  bed.converge();
  report("2 s each way", "first start until converged", since(from));
  operator_link op{bed.server.url()};
  beat_log beats{op.link()};
  for (generation_number g = 2; g <= 4; ++g) {
    const auto begin = steady_clock::now();
    op.apply(g, bed.d.file(), std::to_string(g));
    const auto took = op.until(begin, converged_at(g));
    // The hint, a read there and back, the status on the way there and back, and the last one.
    CHECK(took <= std::chrono::seconds{15});
    report("2 s each way", "desired change followed", took);
  }
  const auto gap = beats.longest_gap();
  CHECK(gap <= beat_period + beat_slack);
  report("2 s each way", "longest gap between heartbeats", gap);
  CHECK(bed.proxy.taken() == 1); // not once given up
  op.check_history();
}

TEST_CASE("hostile: server that hangs in the handshake -> useful within a minute of its recovery",
          "[hostile][.long]") {
  link_bed bed;
  bed.converge();
  bed.proxy.hang_handshakes(true);
  bed.proxy.cut();
  const auto before = bed.proxy.taken();
  const auto until = steady_clock::now() + std::chrono::seconds{60};
  while (bed.proxy.taken() < before + 3 && steady_clock::now() < until)
    std::this_thread::sleep_for(milliseconds{20});
  REQUIRE(bed.proxy.taken() >= before + 3); // it gives up each attempt that hangs, and tries again
  CHECK(read_file(bed.d.file()) == "1");
  bed.proxy.hang_handshakes(false);
  const auto from = steady_clock::now();
  operator_link op{bed.server.url()};
  op.apply(2, bed.d.file(), "2");
  const auto back = op.until(from, converged_at(2));
  CHECK(back <= std::chrono::seconds{60});
  report("handshake hang", "useful again", back);
  op.check_history();
}

TEST_CASE("hostile: 30 % of the packets lost -> it converges again and again, nothing doubled",
          "[hostile][root]") {
  nats_server server;
  tcp_proxy proxy{server.port()}; // only the agent's way loses packets
  device d{server.url(), url_at(proxy.port())};
  const auto rule = [&](const char* verb, const char* port) {
    return std::system((std::string{"iptables -w "} + verb + " INPUT -i lo -p tcp --" + port + " "
                        + std::to_string(proxy.port())
                        + " -m statistic --mode random --probability 0.3 -j DROP")
                         .c_str())
           == 0;
  };
  REQUIRE((rule("-A", "dport") && rule("-A", "sport")));
  const auto begin = steady_clock::now();
  d.agent.start();
  operator_link op{server.url()};
  op.apply(1, d.file(), "1");
  op.until(begin, converged_at(1));
  report("30 % loss", "first start until converged", since(begin));
  beat_log beats{op.link()};
  milliseconds worst{};
  for (generation_number g = 2; g <= 6; ++g) {
    const auto from = steady_clock::now();
    op.apply(g, d.file(), std::to_string(g));
    worst = std::max(worst, op.until(from, converged_at(g)));
  }
  report("30 % loss", "desired change followed, slowest of 5", worst);
  const auto last = steady_clock::now() + 10 * beat_period;
  while (steady_clock::now() < last)
    beats.next(steady_clock::now());
  report("30 % loss", "longest gap between heartbeats", beats.longest_gap());
  op.check_history();
  CHECK((rule("-D", "dport") && rule("-D", "sport")));
}

} // namespace harmony::test

// The server is away, or comes back as another.
#include <nats/nats.h>
#include <thread>

#include "site.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

using std::chrono::steady_clock;

/// A device that converged generation 1 at a server of its own.
struct outage_bed {
  explicit outage_bed(std::vector<std::string> flags = {})
    : d(server.url(), server.url(), std::move(flags)) {
    d.agent.start();
    operator_link op{server.url()};
    op.apply(1, d.file(), "1");
    op.until(steady_clock::now(), converged_at(1));
  }
  nats_server server;
  device d;
};

void delete_stream(const nats_server& server, const char* name) {
  natsConnection* connection = nullptr;
  jsCtx* context = nullptr;
  REQUIRE(natsConnection_ConnectTo(&connection, server.url().c_str()) == NATS_OK);
  REQUIRE(natsConnection_JetStream(&context, connection, nullptr) == NATS_OK);
  CHECK(js_DeleteStream(context, name, nullptr, nullptr) == NATS_OK);
  jsCtx_Destroy(context);
  natsConnection_Destroy(connection);
}

/// The server is up since `from`: the status that changed meanwhile is there, and a change of the
/// desire is followed.
void expect_back(outage_bed& bed, const std::string& what, instant_of_test from,
                 const condition_on_status& current) {
  operator_link op{bed.server.url()};
  const auto status = op.until(from, current);
  CHECK(status <= back_within);
  report(what, "status current", status);
  op.check_history();
}

void expect_follows(outage_bed& bed, const std::string& what, instant_of_test from,
                    generation_number generation) {
  operator_link op{bed.server.url()};
  op.apply(generation, bed.d.file(), std::to_string(generation));
  const auto followed = op.until(from, converged_at(generation));
  CHECK(followed <= back_within);
  CHECK(read_file(bed.d.file()) == std::to_string(generation));
  report(what, "desired change followed", followed);
  op.check_history();
}

} // namespace

TEST_CASE("hostile: server killed for three seconds -> status and desire within two seconds of its "
          "return",
          "[hostile]") {
  outage_bed bed;
  const bool desire = GENERATE(false, true);
  bed.server.kill();
  REQUIRE(bed.d.agent.logged("store is not connected: connection lost"));
  std::this_thread::sleep_for(std::chrono::seconds{3}); // the outage: its length is the case
  bed.server.start();
  const auto from = steady_clock::now();
  if (desire) {
    expect_follows(bed, "server killed", from, 2);
    return;
  }
  operator_link op{bed.server.url()};
  beat_log beats{op.link()};
  const auto beat = beats.next(from);
  CHECK(beat <= back_within);
  report("server killed", "heartbeat", beat);
  expect_back(bed, "server killed", from, converged_at(1));
}

TEST_CASE("hostile: server frozen for three seconds -> the connection stays, nothing is lost",
          "[hostile]") {
  outage_bed bed;
  bed.server.freeze();
  std::this_thread::sleep_for(std::chrono::seconds{3});
  bed.server.thaw();
  expect_follows(bed, "server frozen 3 s", steady_clock::now(), 2);
}

TEST_CASE("hostile: server frozen for twenty seconds -> noticed, and back at once",
          "[hostile][.long]") {
  outage_bed bed;
  const auto from = steady_clock::now();
  bed.server.freeze();
  REQUIRE(bed.d.agent.logged("store is not connected: connection lost"));
  const auto noticed = since(from);
  CHECK(noticed <= noticed_within);
  report("server frozen 20 s", "noticed", noticed);
  std::this_thread::sleep_until(from + std::chrono::seconds{20});
  bed.server.thaw();
  expect_follows(bed, "server frozen 20 s", steady_clock::now(), 2);
}

TEST_CASE("hostile: server restarted with an empty store -> the status is written anew, nothing "
          "stops",
          "[hostile]") {
  outage_bed bed;
  bed.server.stop();
  bed.server.wipe();
  bed.server.start();
  {
    operator_link op{bed.server.url()};
    REQUIRE(op.link().prepare(ample));
  }
  // The agent may have met the server before the buckets were there.
  const auto from = steady_clock::now();
  expect_back(bed, "empty store", from, converged_at(1));
  CHECK(read_file(bed.d.file()) == "1");
  expect_follows(bed, "empty store", steady_clock::now(), 2);
}

TEST_CASE("hostile: server restarted with an older store -> does not go back, and says so",
          "[hostile]") {
  outage_bed bed;
  bed.server.stop();
  bed.server.save();
  bed.server.start();
  {
    operator_link op{bed.server.url()};
    op.apply(2, bed.d.file(), "2");
    op.until(steady_clock::now(), converged_at(2));
  }
  bed.server.stop();
  bed.server.restore();
  bed.server.start();
  const auto from = steady_clock::now();
  expect_back(bed, "older store", from, [](const agent_status& s) {
    return s.observed_generation == 2 && s.phase == agent_phase::rejected;
  });
  CHECK(read_file(bed.d.file()) == "2");
  expect_follows(bed, "older store", steady_clock::now(), 3);
}

TEST_CASE("hostile: buckets deleted and made anew under the connection -> status and desire again",
          "[hostile]") {
  const bool applied = GENERATE(true, false);
  outage_bed bed{{"--poll-interval", applied ? "60s" : "1s"}};
  delete_stream(bed.server, "KV_actual-state");
  delete_stream(bed.server, "KV_desired-state");
  operator_link op{bed.server.url()};
  REQUIRE(op.link().prepare(ample));
  const auto from = steady_clock::now();
  if (applied)
    // The same revision as the one that was read before, and another document.
    expect_follows(bed, "buckets recreated", from, 2);
  else
    expect_back(bed, "buckets recreated (poll 1 s)", from, converged_at(1));
  op.check_history();
}

} // namespace harmony::test

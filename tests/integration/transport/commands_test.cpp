// Commands of src/transport/store.hpp, held by both stores.
#include <atomic>
#include <filesystem>
#include <future>
#include <thread>
#include <vector>

#include "beds.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"

namespace harmony::test {

namespace {

/// Answers every command with its verb and payload.
store::on_command echo() {
  return [](const store_command& c) { (void)c.reply(c.verb + ":" + c.payload); };
}

/// Waits until somebody serves `agent`.
void await_served(store& s, const std::string& agent) {
  REQUIRE(eventually([&] { return s.request(agent, "ping", "", ample).ok(); }, patience));
}

} // namespace

TEMPLATE_TEST_CASE("commands: request -> the agent gets verb and payload, the caller its answer",
                   "", directory_bed, nats_bed) {
  prepared<TestType> bed;
  const auto agent = open_connected(bed.url());
  const auto serving = agent->serve("pi-1", echo());
  REQUIRE(serving);
  await_served(*bed.first, "pi-1");
  std::string bytes;
  for (int i = 0; i < 256; ++i)
    bytes.push_back(static_cast<char>(i));
  for (const auto& payload : {std::string{}, std::string{"{\"a\":1}"}, bytes}) {
    const auto answer = bed.first->request("pi-1", "explain", payload, ample);
    INFO((answer ? "" : answer.error().message));
    REQUIRE(answer);
    CHECK(*answer == "explain:" + payload);
  }
}

TEMPLATE_TEST_CASE("commands: nobody serves the agent -> agent_unreachable, at once", "",
                   directory_bed, nats_bed) {
  prepared<TestType> bed;
  const auto start = std::chrono::steady_clock::now();
  CHECK(code_of(bed.first->request("pi-1", "ping", "", ample)) == ec::agent_unreachable);
  const auto agent = open_connected(bed.url());
  auto serving = agent->serve("pi-1", echo());
  REQUIRE(serving);
  await_served(*bed.first, "pi-1");
  CHECK(code_of(bed.first->request("pi-2", "ping", "", ample)) == ec::agent_unreachable);
  CHECK(since(start) < ample);
  serving->reset(); // one that comes just then may be lost
  CHECK(eventually(
    [&] {
      return code_of(bed.first->request("pi-1", "ping", "", milliseconds{200}))
             == ec::agent_unreachable;
    },
    patience));
}

TEMPLATE_TEST_CASE("commands: the agent does not answer -> timed_out, and later ones are answered",
                   "", directory_bed, nats_bed) {
  prepared<TestType> bed;
  const auto agent = open_connected(bed.url());
  const auto serving = agent->serve("pi-1", [](const store_command& c) {
    if (c.verb != "hold")
      (void)c.reply("yes");
  });
  REQUIRE(serving);
  await_served(*bed.first, "pi-1");
  CHECK(code_of(bed.first->request("pi-1", "hold", "", milliseconds{50})) == ec::timed_out);
  CHECK(bed.first->request("pi-1", "ping", "", ample).value() == "yes");
}

TEMPLATE_TEST_CASE("commands: answered late, by another thread -> the caller gets it", "",
                   directory_bed, nats_bed) {
  prepared<TestType> bed;
  const auto agent = open_connected(bed.url());
  mailbox<store_command> came;
  const auto serving = agent->serve("pi-1", [&](store_command c) {
    c.verb == "ping" ? (void)c.reply("") : came.put(std::move(c));
  });
  REQUIRE(serving);
  await_served(*bed.first, "pi-1");
  auto answer =
    std::async(std::launch::async, [&] { return bed.first->request("pi-1", "logs", "x", ample); });
  REQUIRE(came.take_until([](const store_command& c) { return c.reply("later").ok(); }));
  CHECK(answer.get().value() == "later");
}

TEMPLATE_TEST_CASE("commands: many callers at once -> each its own answer", "", directory_bed,
                   nats_bed) {
  prepared<TestType> bed;
  const auto agent = open_connected(bed.url());
  const auto serving = agent->serve("pi-1", echo());
  REQUIRE(serving);
  await_served(*bed.first, "pi-1");
  std::atomic<int> right{0};
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t)
    callers.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        const auto payload = std::to_string(t) + "-" + std::to_string(i);
        const auto got = bed.first->request("pi-1", "ping", payload, ample);
        right += got && *got == "ping:" + payload ? 1 : 0;
      }
    });
  for (auto& each : callers)
    each.join();
  CHECK(right == 100);
}

TEMPLATE_TEST_CASE("commands: the caller's store closes -> its request ends", "", directory_bed,
                   nats_bed) {
  prepared<TestType> bed;
  const auto agent = open_connected(bed.url());
  std::promise<void> arrived;
  const auto serving = agent->serve("pi-1", [&](const store_command& c) {
    c.verb == "ping" ? (void)c.reply("") : arrived.set_value();
  });
  REQUIRE(serving);
  await_served(*bed.first, "pi-1");
  auto answer =
    std::async(std::launch::async, [&] { return bed.first->request("pi-1", "logs", "", ample); });
  arrived.get_future().wait();
  bed.first->close();
  CHECK(code_of(answer.get()) == ec::store_unavailable);
}

TEMPLATE_TEST_CASE("commands: a verb or an agent that is none -> invalid_spec", "", directory_bed,
                   nats_bed) {
  prepared<TestType> bed;
  for (const auto* verb : {"", "Ping", "a b", "a.b", "../x"})
    CHECK(code_of(bed.first->request("pi-1", verb, "", ample)) == ec::invalid_spec);
  CHECK(code_of(bed.first->request("a b", "ping", "", ample)) == ec::invalid_spec);
}

TEST_CASE("commands: directory store, a second process for one agent -> name_conflict") {
  prepared<directory_bed> bed;
  const auto agent = open_connected(bed.url());
  auto serving = agent->serve("pi-1", echo());
  REQUIRE(serving);
  const auto other = open_connected(bed.url());
  CHECK(code_of(other->serve("pi-1", echo())) == ec::name_conflict);
  serving->reset();
  CHECK(other->serve("pi-1", echo()));
}

TEST_CASE("commands: directory store, after all of it -> no file is left") {
  prepared<directory_bed> bed;
  const auto agent = open_connected(bed.url());
  const auto serving = agent->serve("pi-1", [](const store_command& c) {
    if (c.verb == "ping")
      (void)c.reply("yes");
  });
  REQUIRE(serving);
  await_served(*bed.first, "pi-1");
  CHECK(code_of(bed.first->request("pi-1", "hold", "", milliseconds{20})) == ec::timed_out);
  const std::filesystem::path root{bed.url().substr(4)};
  for (const auto* folder : {"cmd", "answers"})
    for (const auto& each : std::filesystem::directory_iterator(root / folder))
      CHECK(each.path().filename() == ".pi-1.serving");
}

TEST_CASE("commands: NATS, the agent's server restarts -> served again on the new connection") {
  nats_server server;
  const auto op = open_connected(server.url());
  REQUIRE(op->prepare(ample));
  const auto agent = open_connected(server.url());
  const auto serving = agent->serve("pi-1", echo());
  REQUIRE(serving);
  await_served(*op, "pi-1");
  server.kill();
  server.start();
  await_served(*op, "pi-1");
}

} // namespace harmony::test

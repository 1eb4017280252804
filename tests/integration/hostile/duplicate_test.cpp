// Two agents with one id.
#include <algorithm>
#include <set>
#include <thread>

#include "site.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

using std::chrono::steady_clock;

std::string other_in(const agent_status& s) {
  const auto it = std::find_if(s.conditions.begin(), s.conditions.end(),
                               [](const condition& c) { return c.type == "DuplicateAgent"; });
  return it == s.conditions.end() ? "" : it->message;
}

/// Two devices whose agents met.
struct duplicate_bed {
  duplicate_bed() {
    one.agent.start();
    op.apply(1, one.file(), "1");
    op.until(steady_clock::now(), converged_at(1));
    const auto first = op.status().boot_id;
    const auto from = steady_clock::now();
    two.agent.start();
    const auto said =
      op.until(from, [](const agent_status& s) { return says(s, "DuplicateAgent"); });
    CHECK(said <= std::chrono::seconds{10});
    holder = op.status().boot_id;
    INFO(other_in(op.status()));
    CHECK(one.agent.logged("another agent goes by the id 'pi-1'"));
    CHECK(two.agent.logged("another agent goes by the id 'pi-1'"));
    report("two agents with one id", "both say so (poll 1 s)", since(from));
    holding = holder == first ? &one : &two;
    yielding = holder == first ? &two : &one;
  }

  nats_server server;
  device one{server.url(), server.url(), {"--poll-interval", "1s"}};
  device two{server.url(), server.url(), {"--poll-interval", "1s"}};
  operator_link op{server.url()};
  std::string holder; ///< its boot id
  device* holding = nullptr;
  device* yielding = nullptr;
};

} // namespace

TEST_CASE("hostile: two agents with one id -> both say so and live, one keeps the status, neither "
          "flaps; it ends -> the other takes over",
          "[hostile]") {
  duplicate_bed bed;
  auto& op = bed.op;
  // Every document is the holder's, whoever wrote it, and they come slowly.
  const auto revision = [&] {
    return op.link().get(bucket::actual_state, "pi-1", ample).value()->revision;
  };
  const auto begin = revision();
  const auto watched = steady_clock::now() + std::chrono::seconds{5};
  std::set<std::string> living;
  while (steady_clock::now() < watched) {
    const auto now = op.status();
    CHECK(now.boot_id == bed.holder);
    CHECK(says(now, "DuplicateAgent"));
    if (const auto beat = op.link().last_beat("pi-1", ample); beat && *beat)
      living.insert(read_heartbeat((*beat)->value).value().boot_id);
    std::this_thread::sleep_for(milliseconds{50});
  }
  const auto writes = revision() - begin;
  CHECK(writes <= 2 * 5); // a mark and its answer in three looks, each about a second
  report("two agents with one id", "writes in 5 s (poll 1 s): " + std::to_string(writes));
  CHECK(living.size() == 2);

  bed.holding->agent.kill();
  const auto gone = steady_clock::now();
  const auto alone = op.until(gone, [&](const agent_status& s) {
    return s.boot_id != bed.holder && !says(s, "DuplicateAgent") && s.contender.empty();
  });
  report("two agents with one id", "the holder ends: taken over (poll 1 s)", alone);
}

TEST_CASE(
  "hostile: of two agents with one id the one that yields ends -> the other says that it is "
  "alone",
  "[hostile][.long]") {
  duplicate_bed bed;
  bed.yielding->agent.stop();
  const auto gone = steady_clock::now();
  const auto alone = bed.op.until(gone, [&](const agent_status& s) {
    return s.boot_id == bed.holder && !says(s, "DuplicateAgent");
  });
  report("two agents with one id", "the yielder ends: holder alone (poll 1 s)", alone);
}

} // namespace harmony::test

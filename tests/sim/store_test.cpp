// What the status key goes through, in virtual time.
#include "sim/world.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;

constexpr auto actual = bucket::actual_state;
const std::string lower = "0000000000000000"; // than the world's own boot id
const std::string higher = "ffffffffffffffff";

agent_status of(const std::string& boot_id) {
  agent_status s;
  s.agent = "pi-1";
  s.boot_id = boot_id;
  s.sequence = 7;
  return s;
}

bool duplicate_said(const agent_status& s) {
  for (const auto& c : s.conditions)
    if (c.type == "DuplicateAgent")
      return c.status == condition_state::true_;
  return false;
}

} // namespace

TEST_CASE("store: the status is lost under the connection -> written anew at the next look") {
  world w;
  w.start();
  w.apply(file_json("a", "1"));
  const auto before = w.status();
  const auto entry = w.link.get(actual, "pi-1", {}).value();
  REQUIRE(w.link.remove(actual, "pi-1", entry->revision, {}));
  w.run_for(80s);
  CHECK(w.status().phase == agent_phase::converged);
  CHECK(w.status().sequence > before.sequence);
}

TEST_CASE("store: reconnected to one with an older status -> written anew, numbers grow") {
  world w;
  w.start();
  const auto old = w.link.get(actual, "pi-1", {}).value()->value;
  w.apply(file_json("a", "1"));
  const auto before = w.status();
  w.link.set_connected(false);
  w.settle();
  w.link.force(actual, "pi-1", old);
  w.link.set_connected(true);
  w.settle();
  CHECK(w.status().phase == agent_phase::converged);
  CHECK(w.status().sequence > before.sequence);
  CHECK_FALSE(duplicate_said(w.status()));
}

TEST_CASE("store: reconnected and nothing changed -> nothing is written") {
  world w;
  w.start();
  w.apply(file_json("a", "1"));
  const auto puts = w.link.calls(store_call::put);
  w.link.set_connected(false);
  w.link.set_connected(true);
  w.settle();
  CHECK(w.link.calls(store_call::put) == puts);
}

TEST_CASE(
  "store: another agent of the same id with a higher boot id writes -> this one says so and "
  "keeps the key, until it hears no more") {
  world w;
  w.start();
  w.apply(file_json("a", "1"));
  w.link.force(actual, "pi-1", write_status(of(higher)));
  w.run_for(80s);
  CHECK(w.status().phase == agent_phase::converged);
  CHECK(duplicate_said(w.status()));
  auto marked = w.status();
  marked.contender = higher;
  w.link.force(actual, "pi-1", write_status(marked));
  w.run_for(80s);
  CHECK(w.status().contender.empty());
  CHECK(duplicate_said(w.status()));
  w.run_for(15min);
  CHECK_FALSE(duplicate_said(w.status()));
}

TEST_CASE("store: another agent of the same id with a lower boot id writes -> this one yields and "
          "marks it, until the other is gone") {
  world w;
  w.start();
  w.apply(file_json("a", "1"));
  w.link.force(actual, "pi-1", write_status(of(lower)));
  w.run_for(80s);
  CHECK(w.status().boot_id == lower);
  CHECK(w.status().contender == "0123456789abcdef");
  w.beats.clear();
  w.apply(file_json("a", "2"));
  w.run_for(60s);
  CHECK(w.status().boot_id == lower); // still
  CHECK(w.standing("File/a") == "absent");
  CHECK(w.device.things.size() == 1); // it goes on with its work
  CHECK(w.beats.size() >= 6);
  w.run_for(5min);
  CHECK(w.status().phase == agent_phase::converged);
  CHECK(w.status().observed_generation == 2);
  CHECK_FALSE(duplicate_said(w.status()));
}

TEST_CASE("store: it refuses a status for its size -> a shorter one, which says so") {
  world w;
  w.start();
  w.link.fail_next(store_call::put, {ec::document_too_large, "too large"}, 1);
  w.link.force(bucket::desired_state, "pi-1", manifest_json(1, file_json("a", "1")));
  w.settle();
  bool said = false;
  for (const auto& c : w.status().conditions)
    said |= c.type == "StatusShortened";
  CHECK(said);
  CHECK(w.status().resources.size() == 1);
}

TEST_CASE("store: a hint whose change the read does not show -> read again a few times, no more") {
  world w{[](agent_config& c) { c.poll_interval = 1h; }};
  w.start();
  w.apply(file_json("a", "1"));
  const auto gets = w.link.calls(store_call::get);
  w.link.hint(bucket::desired_state, "pi-1");
  w.run_for(1min);
  CHECK(w.link.calls(store_call::get) - gets == 6);
}

TEST_CASE("store: it refuses writes -> asked less and less often, and current once it takes them") {
  world w;
  w.start();
  const auto puts = w.link.calls(store_call::put);
  w.link.fail_next(store_call::put, {ec::store_denied, "no"}, 20);
  w.link.force(bucket::desired_state, "pi-1", manifest_json(1, file_json("a", "1")));
  w.run_for(2min);
  const auto tries = w.link.calls(store_call::put) - puts;
  CHECK(tries >= 9); // 0, 1, 3, 7, 15 s and every 15 s from then on, nearly
  CHECK(tries <= 14);
  w.run_for(5min);
  CHECK(w.status().phase == agent_phase::converged);
}

} // namespace harmony::test

// The store in memory stands in for the real ones in many tests, so it is held to their contract.
#include "support/memory_store.hpp"

#include "support/catch.hpp"

namespace harmony::test {

namespace {

constexpr std::chrono::milliseconds soon{1'000};
constexpr auto desired = bucket::desired_state;

template <class T>
ec code_of(const outcome<T>& result) {
  return result ? ec::internal : result.error().code;
}

TEST_CASE("memory_store: compare-and-set -> only with the newest revision") {
  memory_store s;
  const auto first = s.put(desired, "a", "1", 0, soon);
  REQUIRE(first.ok());
  CHECK(code_of(s.put(desired, "a", "2", 0, soon)) == ec::conflict);
  CHECK(code_of(s.put(desired, "a", "2", *first + 1, soon)) == ec::conflict);
  const auto second = s.put(desired, "a", "2", *first, soon);
  REQUIRE(second.ok());
  CHECK(*second > *first);
  CHECK(s.get(desired, "a", soon).value()->value == "2");
  CHECK(code_of(s.remove(desired, "a", *first, soon)) == ec::conflict);
  REQUIRE(s.remove(desired, "a", *second, soon).ok());
  CHECK_FALSE(s.get(desired, "a", soon).value().has_value());
  const auto third = s.put(desired, "a", "3", 0, soon);
  REQUIRE(third.ok());
  CHECK(*third > *second);
}

TEST_CASE("memory_store: buckets -> apart; keys sorted, deleted ones not among them") {
  memory_store s;
  s.force(desired, "b", "");
  s.force(desired, "a", "");
  s.force(bucket::actual_state, "c", "");
  CHECK(s.keys(desired, soon).value() == std::vector<std::string>{"a", "b"});
  REQUIRE(s.remove(desired, "a", s.get(desired, "a", soon).value()->revision, soon).ok());
  CHECK(s.keys(desired, soon).value() == std::vector<std::string>{"b"});
}

TEST_CASE("memory_store: watch -> a hint after each change, none after the subscription's end") {
  memory_store s;
  std::vector<std::string> one;
  std::vector<std::string> all;
  auto watch_one =
    s.watch(desired, "a", [&](std::string key) { one.push_back(std::move(key)); }).value();
  const auto watch_all =
    s.watch(desired, "", [&](std::string key) { all.push_back(std::move(key)); });
  s.force(desired, "a", "1");
  s.force(desired, "b", "1");
  s.force(bucket::actual_state, "a", "1");
  CHECK(one == std::vector<std::string>{"a"});
  CHECK(all == std::vector<std::string>{"a", "b"});
  s.set_connected(false);
  s.force(desired, "a", "2");
  CHECK(one.size() == 1);
  s.set_connected(true);
  CHECK(one == std::vector<std::string>{"a", ""});
  watch_one.reset();
  s.force(desired, "a", "3");
  CHECK(one.size() == 2);
}

TEST_CASE("memory_store: a hint handler that reads and ends its own watch -> no deadlock") {
  memory_store s;
  std::unique_ptr<subscription> own;
  std::string seen;
  own = s.watch(desired, "a",
                [&](const std::string& key) {
                  seen = s.get(desired, key, soon).value()->value;
                  own.reset();
                })
          .value();
  s.force(desired, "a", "1");
  CHECK(seen == "1");
  s.force(desired, "a", "2");
  CHECK(seen == "1");
}

TEST_CASE("memory_store: faults on demand -> as asked for, and then none") {
  memory_store s;
  s.fail_next(store_call::get, {ec::timed_out, "x"}, 2);
  CHECK(code_of(s.get(desired, "a", soon)) == ec::timed_out);
  CHECK(code_of(s.get(desired, "a", soon)) == ec::timed_out);
  CHECK(s.get(desired, "a", soon).ok());
  CHECK(s.calls(store_call::get) == 3);
  s.lose_reply();
  CHECK(code_of(s.put(desired, "a", "1", 0, soon)) == ec::timed_out);
  const auto again = s.put(desired, "a", "1", 0, soon);
  REQUIRE(again.ok());
  CHECK(*again == s.get(desired, "a", soon).value()->revision);
  CHECK(code_of(s.put(desired, "a", "1", 0, soon)) == ec::conflict); // only once
}

TEST_CASE("memory_store: not prepared, not connected, closed -> says so") {
  memory_store s{false};
  CHECK(code_of(s.get(desired, "a", soon)) == ec::bucket_not_found);
  REQUIRE(s.prepare(soon).ok());
  CHECK(s.get(desired, "a", soon).ok());
  std::vector<bool> states;
  s.watch_connection([&](bool connected, const std::string&) { states.push_back(connected); });
  s.set_connected(false);
  CHECK(code_of(s.get(desired, "a", soon)) == ec::store_unavailable);
  CHECK(code_of(s.beat("a", "x")) == ec::store_unavailable);
  s.set_connected(true);
  CHECK(states == std::vector<bool>{true, false, true});
  s.close();
  CHECK(code_of(s.get(desired, "a", soon)) == ec::store_unavailable);
}

TEST_CASE("memory_store: heartbeats -> the newest with its time, and told to who listens") {
  std::chrono::system_clock::time_point now{std::chrono::seconds{5}};
  memory_store s{true, [&] { return now; }};
  std::vector<std::string> heard;
  const auto listening =
    s.watch_beats([&](std::string agent) { heard.push_back(std::move(agent)); });
  CHECK_FALSE(s.last_beat("a", soon).value().has_value());
  REQUIRE(s.beat("a", "1").ok());
  now += std::chrono::seconds{1};
  REQUIRE(s.beat("a", "2").ok());
  CHECK(s.last_beat("a", soon).value()->value == "2");
  CHECK(s.last_beat("a", soon).value()->written == now);
  CHECK(heard == std::vector<std::string>{"a", "a"});
}

} // namespace

} // namespace harmony::test

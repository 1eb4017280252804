#include "apps/ctl/publish.hpp"

#include "support/catch.hpp"
#include "unit/ctl/fixture.hpp"

namespace harmony::ctl {

namespace {

using test::memory_store;
using test::store_call;

manifest wanted(const std::string& content) {
  resource r;
  r.id = {"File", "a"};
  file_spec spec;
  spec.path = "/a";
  spec.content = content;
  r.spec = spec;
  r.revision = revision_of(r.spec);
  manifest m;
  m.metadata.agent = "pi";
  m.metadata.generation = 1;
  m.resources.push_back(r);
  return m;
}

publish_request request_of(const std::string& content) {
  return {wanted(content), {}, {}, false, false, std::chrono::floor<milliseconds>(noon)};
}

manifest stored(memory_store& from) {
  const auto entry = from.get(bucket::desired_state, "pi", soon);
  REQUIRE(entry.ok());
  REQUIRE(entry->has_value());
  const auto reading = read_manifest((*entry)->value);
  REQUIRE(reading.value);
  return *reading.value;
}

TEST_CASE("publish: a first manifest, then another -> generations 1 and 2, stamped") {
  memory_store s;
  const auto first = publish(s, request_of("one"), budget{soon});
  REQUIRE(first.ok());
  CHECK(first->written);
  CHECK(stored(s).metadata.generation == 1);
  CHECK(stored(s).metadata.issued_at == std::chrono::floor<milliseconds>(noon));
  const auto second = publish(s, request_of("two"), budget{soon});
  REQUIRE(second.ok());
  CHECK(second->plan.from == 1);
  CHECK(stored(s).metadata.generation == 2);
}

TEST_CASE("publish: the same content -> not written, unless forced") {
  memory_store s;
  REQUIRE(publish(s, request_of("one"), budget{soon}).ok());
  const auto again = publish(s, request_of("one"), budget{soon});
  REQUIRE(again.ok());
  CHECK(again->unchanged);
  CHECK_FALSE(again->written);
  CHECK(s.calls(store_call::put) == 1);
  auto forced = request_of("one");
  forced.force = true;
  const auto third = publish(s, forced, budget{soon});
  REQUIRE(third.ok());
  CHECK(third->written);
  CHECK(stored(s).metadata.generation == 2);
}

TEST_CASE("publish: a dry run -> the plan, and nothing written") {
  memory_store s;
  auto dry = request_of("one");
  dry.dry_run = true;
  const auto done = publish(s, dry, budget{soon});
  REQUIRE(done.ok());
  CHECK(done->plan.count(plan_action::create) == 1);
  CHECK(s.calls(store_call::put) == 0);
}

TEST_CASE("publish: another writer in between -> read again, and one generation later") {
  memory_store s;
  int rivals = 2;
  s.before(store_call::put, [&](bucket b, std::string_view key) {
    if (rivals == 0)
      return;
    auto other = wanted("rival " + std::to_string(rivals));
    other.metadata.generation = 10U - static_cast<unsigned>(rivals);
    --rivals;
    s.force(b, key, write_manifest(other));
  });
  const auto done = publish(s, request_of("mine"), budget{soon});
  REQUIRE(done.ok());
  CHECK(done->plan.from == 9);
  CHECK(stored(s).metadata.generation == 10);
  CHECK(std::get<file_spec>(stored(s).resources[0].spec).content == "mine");
  CHECK(s.calls(store_call::put) == 3);
}

TEST_CASE("publish: writers that never stop -> a conflict after bounded attempts") {
  memory_store s;
  unsigned generation = 1;
  s.before(store_call::put, [&](bucket b, std::string_view key) {
    auto other = wanted("rival");
    other.metadata.generation = ++generation;
    s.force(b, key, write_manifest(other));
  });
  const auto done = publish(s, request_of("mine"), budget{soon});
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == ec::conflict);
  CHECK(s.calls(store_call::put) == 8);
}

TEST_CASE("publish: the reply is lost -> the same write again, and one generation only") {
  memory_store s;
  s.lose_reply();
  const auto done = publish(s, request_of("one"), budget{soon});
  REQUIRE(done.ok());
  CHECK(done->written);
  CHECK(stored(s).metadata.generation == 1);
  CHECK(s.calls(store_call::put) == 2);
}

TEST_CASE("publish: a manifest that was deleted -> above what the agent has observed") {
  memory_store s;
  report(s, status_of("pi", agent_phase::converged, 41));
  REQUIRE(publish(s, request_of("one"), budget{soon}).ok());
  CHECK(stored(s).metadata.generation == 42);
}

TEST_CASE("publish: the store fell behind the agent -> written although the content is the same") {
  memory_store s;
  REQUIRE(publish(s, request_of("one"), budget{soon}).ok());
  report(s, status_of("pi", agent_phase::converged, 9));
  const auto done = publish(s, request_of("one"), budget{soon});
  REQUIRE(done.ok());
  CHECK(done->written);
  CHECK(stored(s).metadata.generation == 10);
}

TEST_CASE("publish: rubbish in the store -> refused, overwritten with force above its generation") {
  memory_store s;
  s.force(bucket::desired_state, "pi", R"({"metadata":{"generation":6},"kind":"Other"})");
  const auto refused = publish(s, request_of("one"), budget{soon});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ec::invalid_document);
  CHECK(refused.error().message.find("--force") != std::string::npos);
  auto forced = request_of("one");
  forced.force = true;
  REQUIRE(publish(s, forced, budget{soon}).ok());
  CHECK(stored(s).metadata.generation == 7);
}

TEST_CASE("publish: the store fails -> its reason") {
  memory_store s;
  s.fail_next(store_call::put, {ec::store_denied, "no right"});
  const auto done = publish(s, request_of("one"), budget{soon});
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == ec::store_denied);
}

} // namespace

} // namespace harmony::ctl

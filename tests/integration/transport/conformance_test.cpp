// The contract of src/transport/store.hpp, held by both stores.
#include <atomic>
#include <thread>
#include <vector>

#include "beds.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

constexpr auto desired = bucket::desired_state;
constexpr auto actual = bucket::actual_state;

std::uint64_t must_put(store& s, bucket b, const std::string& key, const std::string& value,
                       std::uint64_t expected) {
  const auto done = s.put(b, key, value, expected, ample);
  INFO((done ? "" : done.error().message));
  REQUIRE(done);
  REQUIRE(*done > 0);
  return *done;
}

std::optional<store_entry> must_get(store& s, bucket b, const std::string& key) {
  auto found = s.get(b, key, ample);
  INFO((found ? "" : found.error().message));
  REQUIRE(found);
  return *found;
}

void must_remove(store& s, bucket b, const std::string& key, std::uint64_t expected) {
  const auto done = s.remove(b, key, expected, ample);
  INFO((done ? "" : done.error().message));
  REQUIRE(done);
}

} // namespace

TEMPLATE_TEST_CASE("store: put -> get gives value, revision and time", "", directory_bed,
                   nats_bed) {
  prepared<TestType> bed;
  const auto before = std::chrono::system_clock::now() - milliseconds{1000};
  const auto revision = must_put(*bed.first, desired, "pi-1", "{\"a\":1}\n", 0);
  const auto found = must_get(*bed.first, desired, "pi-1");
  REQUIRE(found);
  CHECK(found->value == "{\"a\":1}\n");
  CHECK(found->revision == revision);
  CHECK(found->written > before);
  CHECK(found->written < std::chrono::system_clock::now() + milliseconds{1000});
  CHECK_FALSE(must_get(*bed.first, actual, "pi-1"));
  CHECK_FALSE(must_get(*bed.first, desired, "pi-2"));
}

TEMPLATE_TEST_CASE("store: values of any bytes and sizes -> come back unchanged", "", directory_bed,
                   nats_bed) {
  prepared<TestType> bed;
  std::string all_bytes;
  for (int i = 0; i < 256; ++i)
    all_bytes.push_back(static_cast<char>(i));
  std::string large(std::size_t{900} * 1024, 'x');
  for (std::size_t i = 0; i < large.size(); i += 997)
    large[i] = static_cast<char>(i);
  std::uint64_t revision = 0;
  for (const auto& value : {std::string{}, all_bytes, large, std::string{"\n"}}) {
    revision = must_put(*bed.first, desired, "pi-1", value, revision);
    const auto found = must_get(*bed.first, desired, "pi-1");
    REQUIRE(found);
    CHECK(found->value == value);
  }
}

TEMPLATE_TEST_CASE("store: value over the limit -> document_too_large, nothing written", "",
                   directory_bed, nats_bed) {
  prepared<TestType> bed;
  const std::string value((std::size_t{1} << 20) + 1, 'x');
  CHECK(code_of(bed.first->put(desired, "pi-1", value, 0, ample)) == ec::document_too_large);
  CHECK_FALSE(must_get(*bed.first, desired, "pi-1"));
  must_put(*bed.first, desired, "pi-1", value.substr(1), 0);
}

TEMPLATE_TEST_CASE("store: put with another revision than the newest -> conflict", "",
                   directory_bed, nats_bed) {
  prepared<TestType> bed;
  const auto first = must_put(*bed.first, desired, "pi-1", "one", 0);
  CHECK(code_of(bed.first->put(desired, "pi-1", "again", 0, ample)) == ec::conflict);
  CHECK(code_of(bed.first->put(desired, "pi-1", "ahead", first + 1, ample)) == ec::conflict);
  CHECK(code_of(bed.first->put(desired, "pi-2", "absent", 1, ample)) == ec::conflict);
  const auto second = must_put(*bed.first, desired, "pi-1", "two", first);
  CHECK(second > first);
  CHECK(code_of(bed.first->put(desired, "pi-1", "late", first, ample)) == ec::conflict);
  CHECK(must_get(*bed.first, desired, "pi-1")->value == "two");
}

TEMPLATE_TEST_CASE("store: the same put twice -> conflict, it was not a retry", "", directory_bed,
                   nats_bed) {
  prepared<TestType> bed;
  must_put(*bed.first, desired, "pi-1", "one", 0);
  CHECK(code_of(bed.first->put(desired, "pi-1", "one", 0, ample)) == ec::conflict);
}

TEMPLATE_TEST_CASE("store: remove -> absent, created anew above the old revisions", "",
                   directory_bed, nats_bed) {
  prepared<TestType> bed;
  const auto first = must_put(*bed.first, desired, "pi-1", "one", 0);
  CHECK(code_of(bed.first->remove(desired, "pi-1", first + 1, ample)) == ec::conflict);
  CHECK(code_of(bed.first->remove(desired, "pi-1", 0, ample)) == ec::conflict);
  must_remove(*bed.first, desired, "pi-1", first);
  CHECK_FALSE(must_get(*bed.first, desired, "pi-1"));
  CHECK(code_of(bed.first->put(desired, "pi-1", "back", first, ample)) == ec::conflict);
  const auto second = must_put(*bed.first, desired, "pi-1", "one", 0);
  CHECK(second > first + 1); // the deletion took one
  CHECK(must_get(*bed.first, desired, "pi-1")->value == "one");
  must_remove(*bed.first, desired, "pi-1", second);
  CHECK(must_put(*bed.first, desired, "pi-1", "one", 0) > second + 1);
}

TEMPLATE_TEST_CASE("store: remove of an absent key -> fine with 0, conflict with a revision", "",
                   directory_bed, nats_bed) {
  prepared<TestType> bed;
  must_remove(*bed.first, desired, "pi-1", 0);
  CHECK(code_of(bed.first->remove(desired, "pi-1", 7, ample)) == ec::conflict);
  const auto first = must_put(*bed.first, desired, "pi-1", "one", 0);
  must_remove(*bed.first, desired, "pi-1", first);
  must_remove(*bed.first, desired, "pi-1", 0);
  CHECK(code_of(bed.first->remove(desired, "pi-1", first, ample)) == ec::conflict);
}

TEMPLATE_TEST_CASE("store: history -> the newest ten, newest first, deletions left out", "",
                   directory_bed, nats_bed) {
  prepared<TestType> bed;
  CHECK(bed.first->history(desired, "pi-1", ample).value().empty());
  std::uint64_t revision = 0;
  for (int i = 1; i <= 13; ++i)
    revision = must_put(*bed.first, desired, "pi-1", "value " + std::to_string(i), revision);
  must_put(*bed.first, desired, "pi-10", "another's", 0);
  auto all = bed.first->history(desired, "pi-1", ample).value();
  REQUIRE(all.size() == store::history_length);
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(all[i].value == "value " + std::to_string(13 - i));
    if (i > 0)
      CHECK(all[i].revision < all[i - 1].revision);
  }
  CHECK(all[0].revision == revision);
  must_remove(*bed.first, desired, "pi-1", revision);
  must_put(*bed.first, desired, "pi-1", "again", 0);
  all = bed.first->history(desired, "pi-1", ample).value();
  REQUIRE(all.size() >= 8);
  CHECK(all[0].value == "again");
  CHECK(all[1].value == "value 13");
  CHECK(bed.first->keys(desired, ample).value() == std::vector<std::string>{"pi-1", "pi-10"});
}

TEMPLATE_TEST_CASE("store: keys -> those that are there, sorted", "", directory_bed, nats_bed) {
  prepared<TestType> bed;
  CHECK(bed.first->keys(desired, ample).value().empty());
  must_put(*bed.first, desired, "pi-2", "", 0);
  must_put(*bed.first, desired, "pi-1", "b", 0);
  must_put(*bed.first, actual, "pi-4", "c", 0);
  must_remove(*bed.first, desired, "pi-2",
              must_put(*bed.first, desired, "pi-2", "again",
                       must_get(*bed.first, desired, "pi-2")->revision));
  must_put(*bed.first, desired, "pi-3", "d", 0);
  CHECK(bed.first->keys(desired, ample).value() == std::vector<std::string>{"pi-1", "pi-3"});
}

TEMPLATE_TEST_CASE("store: keys that could leave the bucket -> invalid_spec", "", directory_bed,
                   nats_bed) {
  prepared<TestType> bed;
  for (const std::string key :
       {"", ".", "..", "a/b", "../a", ".a", "a.", "a..b", "a b", "a*", ">", "\xc3\xa4"}) {
    INFO(key);
    CHECK(code_of(bed.first->get(desired, key, ample)) == ec::invalid_spec);
    CHECK(code_of(bed.first->put(desired, key, "x", 0, ample)) == ec::invalid_spec);
    CHECK(code_of(bed.first->remove(desired, key, 0, ample)) == ec::invalid_spec);
    CHECK(code_of(bed.first->beat(key, "x")) == ec::invalid_spec);
    CHECK(code_of(bed.first->last_beat(key, ample)) == ec::invalid_spec);
    if (!key.empty())
      CHECK(code_of(bed.first->watch(desired, key, [](const auto&) {})) == ec::invalid_spec);
  }
}

TEMPLATE_TEST_CASE("store: watch -> a hint, after which the new value can be read", "",
                   directory_bed, nats_bed) {
  prepared<TestType> bed;
  const auto other = open_connected(bed.url());
  hints seen;
  const auto watching = other->watch(desired, "pi-1", seen.sink());
  REQUIRE(watching);
  REQUIRE(seen.covers("")); // from here on nothing is missed
  std::uint64_t revision = 0;
  for (int i = 0; i < 20; ++i) {
    const auto value = std::to_string(i);
    revision = must_put(*bed.first, desired, "pi-1", value, revision);
    REQUIRE(seen.covers("pi-1"));
    CHECK(must_get(*other, desired, "pi-1")->value == value);
    seen.box().clear();
  }
  must_remove(*bed.first, desired, "pi-1", revision);
  REQUIRE(seen.covers("pi-1"));
  CHECK_FALSE(must_get(*other, desired, "pi-1"));
}

TEMPLATE_TEST_CASE("store: watch of one key -> silent about others", "", directory_bed, nats_bed) {
  prepared<TestType> bed;
  hints one;
  hints all;
  const auto first = bed.first->watch(desired, "pi-1", one.sink());
  const auto second = bed.first->watch(desired, "", all.sink());
  REQUIRE((first && second));
  REQUIRE(one.covers(""));
  REQUIRE(all.covers(""));
  // Whatever greetings are still on their way come before the hint of this one.
  auto revision = must_put(*bed.first, desired, "pi-1", "mark", 0);
  REQUIRE(one.names("pi-1"));
  REQUIRE(all.names("pi-1"));
  must_put(*bed.first, desired, "pi-2", "x", 0);
  must_put(*bed.first, actual, "pi-1", "x", 0);
  must_put(*bed.first, desired, "pi-3", "x", 0);
  REQUIRE(all.names("pi-2"));
  REQUIRE(all.names("pi-3"));
  must_put(*bed.first, desired, "pi-1", "end", revision);
  REQUIRE(all.names("pi-1"));
  std::vector<std::string> got;
  REQUIRE(one.box().take_until([&](const std::string& key) {
    got.push_back(key);
    return true;
  }));
  CHECK(got == std::vector<std::string>{"pi-1"});
  CHECK(one.box().empty());
}

TEMPLATE_TEST_CASE("store: subscription ended -> its callback never runs again", "", directory_bed,
                   nats_bed) {
  prepared<TestType> bed;
  auto gone = std::make_shared<std::atomic<bool>>(false);
  auto late = std::make_shared<std::atomic<int>>(0);
  hints control;
  const auto still = bed.first->watch(desired, "", control.sink());
  REQUIRE(still);
  REQUIRE(control.covers(""));
  for (int i = 0; i < 10; ++i) {
    gone->store(false);
    auto watching = bed.first->watch(desired, "", [gone, late](const std::string&) {
      if (gone->load())
        ++*late;
    });
    REQUIRE(watching);
    const auto key = "pi-" + std::to_string(i);
    std::thread writer{[&] { (void)bed.first->put(desired, key, "x", 0, ample); }};
    watching->reset();
    gone->store(true);
    writer.join();
    REQUIRE(control.names(key));
  }
  CHECK(late->load() == 0);
}

TEMPLATE_TEST_CASE("store: subscription ended in its own callback -> no deadlock", "",
                   directory_bed, nats_bed) {
  prepared<TestType> bed;
  mailbox<bool> ended;
  std::mutex mutex; // the first hint may come before the watch returned
  std::unique_ptr<subscription> watching;
  {
    const std::lock_guard guard{mutex};
    auto made = bed.first->watch(desired, "", [&](const std::string&) {
      const std::lock_guard inner{mutex};
      watching.reset();
      ended.put(true);
    });
    REQUIRE(made);
    watching = std::move(*made);
  }
  CHECK(ended.take_until([](bool) { return true; }));
}

TEMPLATE_TEST_CASE("store: not prepared -> bucket_not_found, until it is", "", directory_bed,
                   nats_bed) {
  TestType bed;
  const auto agent = open_connected(bed.url());
  hints seen;
  const auto watching = agent->watch(desired, "pi-1", seen.sink());
  REQUIRE(watching);
  CHECK(code_of(agent->get(desired, "pi-1", ample)) == ec::bucket_not_found);
  CHECK(code_of(agent->put(actual, "pi-1", "x", 0, ample)) == ec::bucket_not_found);
  CHECK(code_of(agent->remove(actual, "pi-1", 3, ample)) == ec::bucket_not_found);
  CHECK(code_of(agent->keys(desired, ample)) == ec::bucket_not_found);

  const auto operators = open_connected(bed.url());
  REQUIRE(operators->prepare(ample));
  must_put(*operators, desired, "pi-1", "one", 0);
  // The watch was set up before there was anything to watch.
  REQUIRE(seen.shows(*agent, desired, "pi-1", "one"));
  must_put(*agent, actual, "pi-1", "x", 0);
}

TEMPLATE_TEST_CASE("store: prepared again -> nothing is lost", "", directory_bed, nats_bed) {
  prepared<TestType> bed;
  const auto revision = must_put(*bed.first, desired, "pi-1", "one", 0);
  REQUIRE(bed.first->prepare(ample));
  REQUIRE(open_connected(bed.url())->prepare(ample));
  CHECK(must_get(*bed.first, desired, "pi-1")->revision == revision);
}

TEMPLATE_TEST_CASE("store: heartbeats -> the newest with its time, and each to who watches", "",
                   directory_bed, nats_bed) {
  prepared<TestType> bed;
  const auto fleet = open_connected(bed.url());
  CHECK_FALSE(fleet->last_beat("pi-1", ample).value());
  hints seen;
  const auto watching = fleet->watch_beats(seen.sink());
  REQUIRE(watching);
  REQUIRE(seen.covers(""));
  std::uint64_t before = 0;
  for (int i = 1; i <= 3; ++i) {
    const auto payload = "boot " + std::to_string(i);
    REQUIRE(bed.first->beat("pi-1", payload));
    REQUIRE(seen.names("pi-1"));
    const auto last = fleet->last_beat("pi-1", ample);
    REQUIRE(last);
    REQUIRE(*last);
    CHECK((*last)->value == payload);
    CHECK((*last)->revision > before);
    CHECK(std::chrono::system_clock::now() - (*last)->written < patience);
    before = (*last)->revision;
  }
  REQUIRE(bed.first->beat("pi-2", "other"));
  REQUIRE(seen.names("pi-2"));
  CHECK(fleet->last_beat("pi-1", ample).value()->value == "boot 3");
  CHECK(bed.first->keys(desired, ample).value().empty());
}

TEMPLATE_TEST_CASE("store: closed -> every call fails with store_unavailable, no callback runs", "",
                   directory_bed, nats_bed) {
  prepared<TestType> bed;
  const auto other = open_connected(bed.url());
  hints seen;
  const auto watching = other->watch(desired, "", seen.sink());
  REQUIRE(watching);
  REQUIRE(seen.covers(""));
  states state{*other};
  other->close();
  CHECK(state.says(false, "closed"));
  other->close();
  CHECK(code_of(other->get(desired, "pi-1", ample)) == ec::store_unavailable);
  CHECK(code_of(other->put(desired, "pi-1", "x", 0, ample)) == ec::store_unavailable);
  CHECK(code_of(other->remove(desired, "pi-1", 0, ample)) == ec::store_unavailable);
  CHECK(code_of(other->keys(desired, ample)) == ec::store_unavailable);
  CHECK(code_of(other->beat("pi-1", "x")) == ec::store_unavailable);
  CHECK(code_of(other->last_beat("pi-1", ample)) == ec::store_unavailable);
  CHECK(code_of(other->prepare(ample)) == ec::store_unavailable);
  CHECK(code_of(other->watch(desired, "", [](const auto&) {})) == ec::store_unavailable);
  CHECK(code_of(other->watch_beats([](const auto&) {})) == ec::store_unavailable);
  // A third party sees the change; the closed one has had its chance by then.
  hints control;
  seen.box().clear();
  const auto third = bed.first->watch(desired, "", control.sink());
  REQUIRE(third);
  REQUIRE(control.covers(""));
  must_put(*bed.first, desired, "pi-1", "x", 0);
  REQUIRE(control.names("pi-1"));
  CHECK(seen.box().empty());
}

} // namespace harmony::test

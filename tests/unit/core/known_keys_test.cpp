#include "core/known_keys.hpp"

#include "support/catch.hpp"

namespace harmony::test {

namespace {

/// "event subject: result", a line each.
std::string told(const std::optional<known_keys>& before, const known_keys& now) {
  std::string text;
  for (const auto& e : key_changes(before, now)) {
    CHECK(e.via == "agent");
    text += e.event + " " + e.subject + ": " + e.result + "\n";
  }
  return text;
}

} // namespace

TEST_CASE("known keys: added, removed, changed, the same -> an event each, or none") {
  const known_keys none;
  const known_keys one{{"pinned key alice", "A"}};
  CHECK(told(none, none).empty());
  CHECK(told(one, one).empty());
  CHECK(told(none, one) == "trust-added pinned key alice: A\n");
  CHECK(told(one, none) == "trust-removed pinned key alice: was A\n");
  CHECK(told(one, {{"pinned key alice", "B"}}) == "trust-changed pinned key alice: B; was A\n");
  CHECK(told(one, {{"pinned key bob", "A"}, {"threshold", "1"}})
        == "trust-added pinned key bob: A\ntrust-added threshold: 1\n"
           "trust-removed pinned key alice: was A\n");
}

TEST_CASE("known keys: nothing known of before -> first seen, and not taken for new") {
  CHECK(told({}, {{"device key", "U"}}) == "trust-added device key: U (first seen)\n");
  CHECK(told({}, {}).empty());
}

TEST_CASE("known keys: policy -> its keys, threshold and epoch; none -> nothing") {
  trust_policy policy;
  CHECK(keys_of(policy).empty());
  policy.keys.push_back(
    *read_public_key("ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= alice"));
  policy.epoch = 3;
  CHECK(keys_of(policy)
        == known_keys{
          {"pinned key alice", "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= alice"},
          {"threshold", "1"},
          {"key epoch", "3"}});
}

TEST_CASE("known keys: written -> read back; anything else -> nothing") {
  const known_keys keys{{"device key", "U\"1"}, {"x", ""}};
  CHECK(read_known_keys(write_known_keys(keys)) == keys);
  CHECK(read_known_keys("{}") == known_keys{});
  for (const char* bad : {"", "[]", "{", R"({"a":1})", R"({"a":{}})"})
    CHECK_FALSE(read_known_keys(bad));
}

} // namespace harmony::test

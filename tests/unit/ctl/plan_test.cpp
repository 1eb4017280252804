#include "apps/ctl/plan.hpp"

#include "support/catch.hpp"

namespace harmony::ctl {

namespace {

manifest read(const std::string& resources, generation_number generation) {
  auto reading = read_manifest(
    R"({"apiVersion":"harmony/v1","kind":"AgentManifest","metadata":{"agent":"pi","generation":)"
    + std::to_string(generation) + R"(},"spec":{"resources":[)" + resources + "]}}");
  REQUIRE(reading.issues.empty());
  return *reading.value;
}

constexpr const char* before_resources = R"(
  {"kind":"File","name":"a","spec":{"path":"/a","content":"1\n2\n3\n4\n","mode":"0600"}},
  {"kind":"File","name":"b","spec":{"path":"/b","content":"x"},"origin":"me"},
  {"kind":"SystemdUnit","name":"w","restartOn":["File/a"],"spec":{"unit":"w.service"}},
  {"kind":"File","name":"gone","spec":{"path":"/gone","content":"x"}})";
constexpr const char* after_resources = R"(
  {"kind":"File","name":"a","spec":{"path":"/a","content":"1\n2\n3\nfour\n","owner":"root"}},
  {"kind":"File","name":"b","spec":{"path":"/b","content":"x"},"origin":"you"},
  {"kind":"SystemdUnit","name":"w","restartOn":["File/a"],"spec":{"unit":"w.service"}},
  {"kind":"Directory","name":"d","spec":{"path":"/d"}})";

TEST_CASE("plan: two manifests -> every resource once, with the fields that differ") {
  const auto before = read(before_resources, 7);
  const auto after = read(after_resources, 8);
  CHECK(render_plan(plan_of(&before, after), false) == R"(Agent pi: generation 7 -> generation 8
  ~ update File/a
      spec.content:
        …
          2
          3
        - 4
        + four
      spec.mode: "0600" -> (default)
      spec.owner: "root"
  = keep File/b  (settings that touch nothing on the device)
      origin: "me" -> "you"
  ~ update SystemdUnit/w  (a resource of its restartOn changes)
  + create Directory/d
      spec.path: "/d"
  - remove File/gone
Plan: 1 to create, 2 to update, 1 to keep, 1 to remove.
)");
}

TEST_CASE("plan: nothing in the store -> all is created") {
  const auto after = read(before_resources, 1);
  const auto plan = plan_of(nullptr, after);
  CHECK(plan.count(plan_action::create) == 4);
  CHECK(render_plan(plan, false).find("Agent pi: no manifest -> generation 1\n") == 0);
}

TEST_CASE("plan: as a value -> ids, actions, fields with null for the default") {
  const auto before = read(before_resources, 7);
  const auto after = read(after_resources, 8);
  const auto value = to_value(plan_of(&before, after));
  CHECK(value["fromGeneration"] == 7);
  CHECK(value["toGeneration"] == 8);
  REQUIRE(value["resources"].size() == 5);
  CHECK(value["resources"][0]["id"] == "File/a");
  CHECK(value["resources"][0]["action"] == "update");
  CHECK(value["resources"][0]["fields"][1]
        == json{{"field", "spec.mode"}, {"from", "0600"}, {"to", nullptr}});
}

TEST_CASE("plan: with colour -> signs coloured by what happens") {
  const auto before = read(before_resources, 7);
  const auto after = read(after_resources, 8);
  const auto text = render_plan(plan_of(&before, after), true);
  CHECK(text.find("\x1b[31m- remove File/gone\x1b[0m") != std::string::npos);
  CHECK(text.find("\x1b[32m+ create Directory/d\x1b[0m") != std::string::npos);
}

} // namespace

} // namespace harmony::ctl

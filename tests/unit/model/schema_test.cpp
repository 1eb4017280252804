// The JSON Schemas say what the codec does; an independent validator is the judge.

#include <algorithm>
#include <fstream>
#include <random>
#include <sstream>

#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "model/manifest.hpp"
#include "model/status.hpp"
#include "support/catch.hpp"
#include "unit/model/schema_cases.hpp"

namespace harmony {

namespace {

using nlohmann::json;
using test::codec_rule;
using test::codec_rules;
using test::full_manifest;
using test::issues_of;
using test::verdict;
using test::verdicts;

using adapter = valijson::adapters::NlohmannJsonAdapter;

/// A schema, compiled.
class judge {
public:
  explicit judge(std::string_view document) {
    const auto text = json::parse(json_schema(document));
    valijson::SchemaParser parser;
    parser.populateSchema(adapter(text), schema_);
  }

  bool accepts(const json& document) {
    return validator_.validate(schema_, adapter(document), nullptr);
  }

private:
  valijson::Schema schema_;
  valijson::Validator validator_;
};

judge& manifest_judge() {
  static judge j{"AgentManifest"};
  return j;
}

/// What stands in the committed file.
std::string committed(const std::string& name) {
  std::ifstream in{std::string{HARMONY_SOURCE_DIR "/config/schema/"} + name};
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST_CASE("schema: committed files -> what the tables describe") {
  INFO("run: harmonyctl schema manifest > config/schema/agent-manifest.json");
  CHECK(committed("agent-manifest.json") == json_schema("AgentManifest"));
  INFO("run: harmonyctl schema status > config/schema/agent-status.json");
  CHECK(committed("agent-status.json") == json_schema("AgentStatus"));
}

TEST_CASE("schema: other name -> empty") {
  CHECK(json_schema("AgentThing").empty());
}

TEST_CASE("schema: table of manifests -> validator and codec agree") {
  REQUIRE(verdicts().size() >= 60);
  for (const auto& each : verdicts()) {
    INFO(each.text);
    CHECK(issues_of(each.text).empty() == each.valid);
    CHECK(manifest_judge().accepts(json::parse(each.text)) == each.valid);
  }
}

TEST_CASE("schema: rules that it cannot say -> the codec's alone") {
  for (const auto& rule : codec_rules()) {
    INFO(rule.name);
    const auto issues = issues_of(rule.sample);
    REQUIRE_FALSE(issues.empty());
    for (const auto& each : issues)
      CHECK(each.find(rule.message) != std::string::npos);
    CHECK(manifest_judge().accepts(json::parse(rule.sample)));
  }
}

TEST_CASE("schema: rules that it cannot say -> each in docs/protocol.md") {
  std::ifstream in{HARMONY_SOURCE_DIR "/docs/protocol.md"};
  std::stringstream page;
  page << in.rdbuf();
  for (const auto& rule : codec_rules()) {
    INFO(rule.name);
    CHECK(page.str().find("\n- **" + rule.name + "**") != std::string::npos);
  }
}

/// Every value in a document, the document itself among them.
void collect(json& value, std::vector<json*>& out) {
  out.push_back(&value);
  for (auto& each : value)
    if (each.is_structured())
      collect(each, out);
    else
      out.push_back(&each);
}

/// Changes one thing, anywhere: a value, a key, a field gone, a field too many, an element twice.
void mutate(json& document, std::mt19937& random) {
  static const std::vector<json> palette{nullptr,
                                         true,
                                         0,
                                         1,
                                         -1,
                                         65536,
                                         1.5,
                                         "",
                                         "x",
                                         "File",
                                         "/a/../",
                                         "/a",
                                         "0644",
                                         "a b",
                                         json::array(),
                                         json::object(),
                                         "File/motd",
                                         "tmpfs",
                                         "10Mi",
                                         "volume",
                                         "root",
                                         "Directory/data",
                                         {"a"},
                                         {{"a", "b"}},
                                         1e300,
                                         "é"};
  std::vector<json*> all;
  collect(document, all);
  const auto below = [&](std::size_t n) { return random() % n; };
  auto& victim = *all[below(all.size())];
  const auto& any = palette[below(palette.size())];
  const auto place = victim.empty() ? std::size_t{0} : below(victim.size());
  const auto member = [&] { return std::next(victim.begin(), static_cast<std::ptrdiff_t>(place)); };
  switch (below(5)) {
  case 0: victim = any; break;
  case 1:
    if (victim.is_structured() && !victim.empty())
      victim.erase(member());
    break;
  case 2:
    if (victim.is_object())
      victim["extra"] = any;
    break;
  case 3:
    if (victim.is_array() && !victim.empty())
      victim.push_back(json(*member()));
    break;
  default:
    if (victim.is_structured() && !victim.empty())
      *member() = *all[below(all.size())];
    break;
  }
}

TEST_CASE("schema: seeded mutations of a manifest -> refused by both, or by a known rule") {
  std::mt19937 random{7};
  int valid = 0;
  int both = 0;
  for (int i = 0; i < 1500; ++i) {
    auto document = json::parse(full_manifest());
    for (auto count = 1 + random() % 2; count > 0; --count) {
      const auto copy = document; // mutate() may put a value into itself
      mutate(document, random);
      if (document.dump().size() > 20000)
        document = copy;
    }
    const auto text = document.dump();
    const auto issues = issues_of(text);
    const bool theirs = manifest_judge().accepts(document);
    valid += issues.empty() ? 1 : 0;
    both += !issues.empty() && !theirs ? 1 : 0;
    INFO(text);
    if (issues.empty())
      CHECK(theirs);
    else if (theirs)
      for (const auto& each : issues) {
        INFO(each);
        CHECK(std::any_of(codec_rules().begin(), codec_rules().end(), [&](const codec_rule& rule) {
          return each.find(rule.message) != std::string::npos;
        }));
      }
  }
  CHECK(valid > 40); // the comparison saw both sides
  CHECK(both > 400);
}

TEST_CASE("schema: statuses -> validator and codec agree") {
  judge status{"AgentStatus"};
  const std::string before = R"({"apiVersion":"harmony/v1","kind":"AgentStatus","agent":"a",
    "bootId":"0123456789abcdef","sequence":1,"observedGeneration":0,)";
  const std::string rest = R"("phase":"Starting","conditions":[],"resources":{})";
  const std::vector<verdict> all{
    {true, before + rest + "}"},
    {true, before + rest + R"(,"later":1})"},
    {false, before + R"("phase":"Starting"})"},
    {false, before + R"("phase":"Gone","conditions":[],"resources":{}})"},
    {false, before + R"("phase":"Starting","conditions":{},"resources":{}})"},
    {false, before + R"("phase":"Starting","conditions":[],"resources":{"File":{}}})"},
    {false, before + R"("phase":"Starting","conditions":[],"resources":{"File/a":{}}})"},
    {true, before + R"("phase":"Starting","conditions":[],
                        "resources":{"File/a":{"phase":"Ready","state":{"other":{}}}}})"},
    {false, before + R"("phase":"Starting","conditions":[],
                         "resources":{"File/a":{"phase":"Ready","attempts":-1}}})"},
    {false, before + R"("phase":"Starting","conditions":[{"type":"A","status":"Yes",
                         "lastTransitionTime":"2026-01-31T12:00:00Z"}],"resources":{}})"},
    {true, before + R"("phase":"Starting","conditions":[{"type":"A","status":"True",
                        "lastTransitionTime":"2026-01-31T12:00:00Z"}],"resources":{}})"},
    {true, before + R"("phase":"Converged","conditions":[],"resources":{"Container/a":{
              "phase":"Ready","state":{"container":{"running":{"since":"x","restarts":2}}}}}})"},
    {false, before + R"("phase":"Converged","conditions":[],"resources":{"Container/a":{
              "phase":"Ready","state":{"container":{"running":{"restarts":"2"}}}}}})"},
  };
  for (const auto& each : all) {
    INFO(each.text);
    CHECK(read_status(each.text).ok() == each.valid);
    CHECK(status.accepts(json::parse(each.text)) == each.valid);
  }
}

} // namespace

} // namespace harmony

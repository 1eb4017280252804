// The JSON Schemas say what the codec does; an independent validator is the judge.

#include <fstream>
#include <functional>
#include <random>
#include <sstream>

#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "model/manifest.hpp"
#include "model/status.hpp"
#include "support/catch.hpp"
#include "unit/model/documents.hpp"

namespace harmony {

namespace {

using nlohmann::json;
using test::full_manifest;
using test::issues_of;
using test::manifest_of;
using test::resource_of;

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

std::string file(const std::string& rest) {
  return resource_of("File", R"({"path":"/a")" + rest + "}");
}
std::string container(const std::string& rest) {
  return resource_of("Container", R"({"image":"a")" + rest + "}");
}
std::string probes(const std::string& text) {
  return R"({"kind":"Directory","name":"d","spec":{"path":"/d"},"probes":)" + text + "}";
}
std::string beside(const std::string& fields) {
  return R"({"kind":"Directory","name":"d","spec":{"path":"/d"},)" + fields + "}";
}
std::string metadata(const std::string& fields) {
  return R"({"apiVersion":"harmony/v1","kind":"AgentManifest","metadata":)" + fields
         + R"(,"spec":{"resources":[]}})";
}

struct verdict {
  bool valid;
  std::string text;
};

const std::vector<verdict>& verdicts() {
  static const std::vector<verdict> all{
    {true, full_manifest()},
    {true, manifest_of("")},
    {false, "{}"},
    {false, "[]"},
    {false, "null"},
    {false, R"({"apiVersion":"harmony/v1","kind":"AgentManifest"})"},
    // metadata
    {true, metadata(R"({"agent":"a","generation":1})")},
    {true, metadata(R"({"agent":"a","generation":9007199254740991,"labels":{}})")},
    {false, metadata(R"({"agent":"a","generation":9007199254740992})")},
    {false, metadata(R"({"agent":"a","generation":0})")},
    {false, metadata(R"({"agent":"a","generation":-1})")},
    {false, metadata(R"({"agent":"a","generation":1.5})")},
    {false, metadata(R"({"agent":"a","generation":"1"})")},
    {false, metadata(R"({"agent":"a","generation":true})")},
    {false, metadata(R"({"agent":"A","generation":1})")},
    {false, metadata(R"({"generation":1})")},
    {false, metadata(R"({"agent":"a"})")},
    {false, metadata(R"({"agent":"a","generation":1,"keyEpoch":0})")},
    {true, metadata(R"({"agent":"a","generation":1,"keyEpoch":4294967295})")},
    {false, metadata(R"({"agent":"a","generation":1,"labels":{"a b":""}})")},
    {false, metadata(R"({"agent":"a","generation":1,"labels":{"a":1}})")},
    {false, metadata(R"({"agent":"a","generation":1,"issuedAt":"yesterday"})")},
    {false, metadata(R"({"agent":"a","generation":1,"issuedAt":null})")},
    {true, metadata(R"({"agent":"a","generation":1,"expiresAt":"2026-01-31T12:00:00.1+02:00"})")},
    {false, metadata(R"({"agent":"a","generation":1,"extra":1})")},
    // spec
    {true, R"({"apiVersion":"harmony/v1","kind":"AgentManifest",
               "metadata":{"agent":"a","generation":1},"spec":{"resources":[],"scores":[]}})"},
    {false, R"({"apiVersion":"harmony/v1","kind":"AgentManifest",
                "metadata":{"agent":"a","generation":1},"spec":{"resources":[],"scores":[{}]}})"},
    {false, R"({"apiVersion":"harmony/v1","kind":"AgentManifest",
                "metadata":{"agent":"a","generation":1},"spec":{}})"},
    {false, R"({"apiVersion":"harmony/v2","kind":"AgentManifest",
                "metadata":{"agent":"a","generation":1},"spec":{"resources":[]}})"},
    // resources
    {false, manifest_of("7")},
    {false, manifest_of(R"({"kind":"File","name":"a"})")},
    {false, manifest_of(R"({"kind":"Package","name":"a","spec":{}})")},
    {false, manifest_of(R"({"kind":"Thing","name":"a","spec":{}})")},
    {false, manifest_of(R"({"kind":"File","name":"a_b","spec":{"path":"/a","content":""}})")},
    {true, manifest_of(beside(R"("dependsOn":[],"restartOn":[],"origin":"","probes":{})"))},
    {false, manifest_of(beside(R"("dependsOn":["a"])"))},
    {false, manifest_of(beside(R"("dependsOn":"File/a")"))},
    {false, manifest_of(beside(R"("restartOn":["Directory/d","Directory/d"])"))},
    {true, manifest_of(beside(R"("restartOn":["Directory/d"])"))},
    {false, manifest_of(beside(R"("origin":7)"))},
    {false, manifest_of(beside(R"("dependOn":[])"))},
    // File
    {true, manifest_of(file(R"(,"content":"")"))},
    {true, manifest_of(file(R"(,"contentBase64":"AA==")"))},
    {false, manifest_of(file(R"(,"contentBase64":"AB==")"))},
    {false, manifest_of(file(""))},
    {false, manifest_of(file(R"(,"content":"","contentBase64":"")"))},
    {false, manifest_of(file(R"(,"content":"","mode":"644")"))},
    {false, manifest_of(file(R"(,"content":"","mode":420)"))},
    {false, manifest_of(file(R"(,"content":"","owner":"")"))},
    {true, manifest_of(file(R"(,"content":"","owner":"0","group":"adm")"))},
    {false, manifest_of(file(R"(,"content":"","adopt":0)"))},
    {false, manifest_of(file(R"(,"source":{"url":"https://h/x"})"))},
    {false, manifest_of(resource_of("File", R"({"path":"/a/../b","content":""})"))},
    {false, manifest_of(resource_of("File", R"({"path":"a","content":""})"))},
    {false, manifest_of(resource_of("File", "[]"))},
    // Directory, SystemdUnit
    {true, manifest_of(resource_of("Directory", R"({"path":"/a","mode":"0000"})"))},
    {false, manifest_of(resource_of("Directory", R"({"path":"/a","content":""})"))},
    {true, manifest_of(resource_of("SystemdUnit", R"({"unit":"a@b.service"})"))},
    {false, manifest_of(resource_of("SystemdUnit", R"({"unit":"a@.service"})"))},
    {false, manifest_of(resource_of("SystemdUnit", R"({"unit":"a.service","state":"on"})"))},
    {false, manifest_of(resource_of("SystemdUnit", R"({"unit":"a.service","content":"\u0000"})"))},
    {false, manifest_of(resource_of("SystemdUnit", R"({"unit":"a.service","enabled":"yes"})"))},
    // Container
    {true, manifest_of(container(""))},
    {false, manifest_of(resource_of("Container", R"({"image":"A B"})"))},
    {true, manifest_of(container(R"(,"memory":1048576)"))},
    {false, manifest_of(container(R"(,"memory":1048575)"))},
    {false, manifest_of(container(R"(,"memory":"64mb")"))},
    {false, manifest_of(container(R"(,"pidsLimit":0)"))},
    {false, manifest_of(container(R"(,"env":{"1":""})"))},
    {false, manifest_of(container(R"(,"env":[])"))},
    {true, manifest_of(container(R"(,"user":"root:0","network":"none","workingDir":"/w")"))},
    {false, manifest_of(container(R"(,"user":"root:")"))},
    {false, manifest_of(container(R"(,"ports":[{"host":1}])"))},
    {false, manifest_of(container(R"(,"ports":[{"host":1,"container":0}])"))},
    {false, manifest_of(container(R"(,"ports":[{"host":1,"container":1,"hostIp":"x"}])"))},
    {true, manifest_of(container(R"(,"mounts":[{"source":"/","target":"/a"}])"))},
    {false, manifest_of(container(R"(,"mounts":[{"target":"/a"}])"))},
    {false, manifest_of(container(R"(,"mounts":[{"source":"v","target":"/a"}])"))},
    {true, manifest_of(container(R"(,"mounts":[{"type":"volume","source":"v","target":"/a"}])"))},
    {false, manifest_of(container(R"(,"mounts":[{"type":"volume","source":"/v","target":"/a"}])"))},
    {false, manifest_of(container(R"(,"mounts":[{"type":"volume","target":"/a"}])"))},
    {true, manifest_of(container(R"(,"mounts":[{"type":"tmpfs","target":"/a"}])"))},
    {false, manifest_of(container(R"(,"mounts":[{"type":"tmpfs","source":"v","target":"/a"}])"))},
    {false, manifest_of(container(R"(,"mounts":[{"type":"tmpfs","target":"/"}])"))},
    // probes
    {true, manifest_of(probes(R"({"readiness":{"tcp":{"port":1},"successThreshold":100}})"))},
    {false, manifest_of(probes(R"({"startup":{"tcp":{"port":1},"successThreshold":2}})"))},
    {false, manifest_of(probes(R"({"liveness":{"tcp":{"port":1},"successThreshold":2}})"))},
    {true, manifest_of(probes(R"({"liveness":{"tcp":{"port":1},"successThreshold":1}})"))},
    {false, manifest_of(probes(R"({"readiness":{}})"))},
    {false, manifest_of(probes(R"({"readiness":{"tcp":{"port":1},"http":{"port":1}}})"))},
    {false, manifest_of(probes(R"({"readiness":{"exec":{"command":[]}}})"))},
    {false, manifest_of(probes(R"({"readiness":{"exec":{"command":"x"}}})"))},
    {false, manifest_of(probes(R"({"readiness":{"http":{"port":1,"path":"x"}}})"))},
    {false, manifest_of(probes(R"({"readiness":{"tcp":{"port":1},"periodSeconds":0}})"))},
    {false, manifest_of(probes(R"({"ready":{"tcp":{"port":1}}})"))},
  };
  return all;
}

TEST_CASE("schema: table of manifests -> validator and codec agree") {
  REQUIRE(verdicts().size() >= 60);
  for (const auto& each : verdicts()) {
    INFO(each.text);
    CHECK(issues_of(each.text).empty() == each.valid);
    CHECK(manifest_judge().accepts(json::parse(each.text)) == each.valid);
  }
}

/// A rule that the codec holds and a JSON Schema cannot say; docs/protocol.md has the same list.
struct codec_rule {
  std::string name;
  std::string message; ///< a part of what the codec says
  std::string sample;  ///< breaks this rule and no other
};

const std::vector<codec_rule>& codec_rules() {
  const auto two = [](const std::string& a, const std::string& b) {
    return manifest_of(a + "," + b);
  };
  const auto dir = [](const std::string& name, const std::string& path, const std::string& more) {
    return R"({"kind":"Directory","name":")" + name + R"(","spec":{"path":")" + path + "\"}" + more
           + "}";
  };
  static const std::vector<codec_rule> all{
    {"size", "bytes long; the limit is",
     manifest_of(resource_of("File", R"({"path":"/a","content":")"
                                       + std::string(max_document_bytes, 'x') + "\"}"))},
    {"duplicate key", "is there twice; a JSON object has each key once",
     manifest_of(R"({"kind":"Directory","name":"a","name":"b","spec":{"path":"/a"}})")},
    {"duplicate id", "is the id of", two(dir("a", "/a", ""), dir("a", "/b", ""))},
    {"duplicate target", "is managed by", two(dir("a", "/a", ""), dir("b", "/a", ""))},
    {"unknown dependency", "is not in this manifest",
     manifest_of(dir("a", "/a", R"(,"dependsOn":["File/x"])"))},
    {"dependency cycle", "leads back to itself",
     manifest_of(dir("a", "/a", R"(,"dependsOn":["Directory/a"])"))},
    {"host port twice", "is published by",
     manifest_of(container(R"(,"ports":[{"host":1,"container":1},{"host":1,"container":2}])"))},
    {"mount target twice", "is the target of",
     manifest_of(container(R"(,"mounts":[{"type":"tmpfs","target":"/a"},
                                          {"source":"/","target":"/a"}])"))},
    {"account number", "a number below 4294967295",
     manifest_of(file(R"(,"content":"","owner":"4294967295")"))},
    {"account number in user", "each a name or a number",
     manifest_of(container(R"(,"user":"9999999999:0")"))},
    {"value of a size", "a size of at least 1Mi", manifest_of(container(R"(,"memory":"1Ki")"))},
    {"calendar", "(RFC 3339)",
     metadata(R"({"agent":"a","generation":1,"issuedAt":"2026-02-30T12:00:00Z"})")},
    {"IPv6 address", "expected an IP address",
     manifest_of(container(R"(,"ports":[{"host":1,"container":1,"hostIp":"1::2::3"}])"))},
    {"IPv6 address of a probe", "a host name or an IP address",
     manifest_of(probes(R"({"readiness":{"tcp":{"host":":::","port":1}}})"))},
    {"length in bytes", "such as \"/etc/motd\", got \"/éé",
     [] {
       std::string path = R"({"path":"/)";
       for (int i = 0; i < 2048; ++i)
         path += "é";
       return manifest_of(resource_of("Directory", path + "\"}"));
     }()},
  };
  return all;
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
  for (int i = 0; i < 4000; ++i) {
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
  CHECK(valid > 100); // the comparison saw both sides
  CHECK(both > 1000);
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

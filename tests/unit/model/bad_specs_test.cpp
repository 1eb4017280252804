// Every kind has its table of bad specs, in bad_specs.txt: each fault with its place, its reason
// and its words.

#include <fstream>
#include <set>

#include "model/detail/shapes.hpp"
#include "support/catch.hpp"
#include "unit/model/documents.hpp"

namespace harmony::test {

namespace {

struct bad_spec {
  std::size_t line = 0;
  std::string section; ///< a kind, "probes" or "dependencies"
  std::string text;
  std::vector<std::string> faults;
};

std::vector<bad_spec> bad_specs() {
  std::ifstream in{HARMONY_SOURCE_DIR "/tests/unit/model/bad_specs.txt"};
  std::vector<bad_spec> all;
  std::string section;
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (line.rfind("== ", 0) == 0)
      section = line.substr(3);
    else if (line.rfind('{', 0) == 0)
      all.push_back({number, section, line, {}});
    else if (line.rfind("    ", 0) == 0)
      all.back().faults.push_back(line.substr(4));
  }
  return all;
}

/// The manifest that has the bad one as its first resource.
std::string document_of(const bad_spec& bad) {
  const std::string file = R"("kind":"File","spec":{"path":"/r","content":""})";
  if (bad.section == "probes")
    return manifest_of("{" + file + R"(,"name":"r","probes":)" + bad.text + "}");
  if (bad.section == "dependencies")
    return manifest_of("{" + file + R"(,"name":"r",)" + bad.text.substr(1) + ","
                       + R"({"kind":"File","name":"other","spec":{"path":"/o","content":""}},)"
                       + R"({"kind":"ShellJob","name":"job","spec":{"command":["/bin/true"]}})");
  return manifest_of(resource_of(bad.section, bad.text));
}

/// Whether `fault` ("place | reason | words") is `said`.
bool matches(const std::string& fault, const issue& said) {
  const std::string place = "spec.resources[0]." + fault.substr(0, fault.find(" | "));
  const auto reason = fault.find(" | ") + 3;
  const auto words = fault.find(" | ", reason) + 3;
  return said.path == place && reason_of(said.code) == fault.substr(reason, words - 3 - reason)
         && said.message.find(fault.substr(words)) != std::string::npos;
}

} // namespace

TEST_CASE("bad specs: each row of bad_specs.txt -> its faults by place, reason and words") {
  for (const auto& bad : bad_specs()) {
    INFO("bad_specs.txt, line " << bad.line << ": " << bad.section << " " << bad.text);
    const auto reading = read_manifest(document_of(bad));
    std::string said;
    for (const auto& each : reading.issues)
      said += each.path + " | " + std::string{reason_of(each.code)} + " | " + each.message + "\n";
    INFO("said:\n" << said);
    REQUIRE(reading.issues.size() == bad.faults.size());
    for (std::size_t i = 0; i < bad.faults.size(); ++i) {
      INFO("expected: " << bad.faults[i]);
      CHECK(matches(bad.faults[i], reading.issues[i]));
    }
    // The fault is the resource's own.
    REQUIRE(reading.value);
    REQUIRE(reading.value->rejected.size() == 1);
    CHECK(reading.value->rejected[0].code == reading.issues[0].code);
  }
}

TEST_CASE("bad specs: bad_specs.txt -> has a table of every kind, of probes and dependencies") {
  std::map<std::string, std::size_t> rows;
  for (const auto& bad : bad_specs()) {
    CHECK_FALSE(bad.faults.empty());
    ++rows[bad.section];
  }
  std::set<std::string> expected{"probes", "dependencies"};
  for (const auto& kind : detail::kinds())
    expected.insert(std::string{kind.name});
  for (const auto& section : expected) {
    INFO(section);
    CHECK(rows[section] >= 7);
  }
  CHECK(rows.size() == expected.size());
}

} // namespace harmony::test

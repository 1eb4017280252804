#include "apps/ctl/documents.hpp"

#include <sstream>

#include "apps/ctl/exit_code.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace harmony::ctl {

namespace {

using test::temp_dir;
using test::write_file;

constexpr const char* good = R"(apiVersion: harmony/v1
kind: AgentManifest
metadata:
  agent: pi-1
spec:
  resources:
    - kind: File
      name: motd
      spec:
        path: /etc/motd
        content: hi
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

std::vector<std::string> lines_of(const loading& l) {
  std::vector<std::string> lines;
  for (const auto& d : l.diagnostics)
    lines.push_back(d.str());
  return lines;
}

TEST_CASE("documents: a good manifest without generation -> read") {
  const auto read = read_manifests("a.yaml", good, "");
  CHECK(lines_of(read).empty());
  REQUIRE(read.manifests.size() == 1);
  CHECK(read.manifests[0].value.metadata.agent == "pi-1");
  CHECK(read.manifests[0].value.resources.size() == 1);
}

TEST_CASE("documents: an agent on the command line -> stands for the one of the file, or none") {
  for (const auto& text : {std::string{good}, replaced(good, "metadata:\n  agent: pi-1\n", ""),
                           replaced(good, "metadata:\n  agent: pi-1\n", "metadata: {}\n")}) {
    CAPTURE(text);
    const auto read = read_manifests("a.yaml", text, "pi-9");
    CHECK(lines_of(read).empty());
    REQUIRE(read.manifests.size() == 1);
    CHECK(read.manifests[0].value.metadata.agent == "pi-9");
  }
}

TEST_CASE("documents: faults of all kinds -> each with its line, in the order of the file") {
  const auto read = read_manifests("bad.yaml", R"(apiVersion: harmony/v1
kind: AgentManifest
metadata:
  agent: pi-1
spec:
  resources:
    - kind: File
      name: motd
      spec:
        path: /etc/motd
        content: hi
        mode: 0644
    - kind: File
      name: two
      spec: {path: /etc/../x, mode: "9", contnt: a}
    - kind: Fiel
      name: three
      spec: {}
)",
                                   "");
  CHECK(read.manifests.empty());
  std::vector<std::string> heads;
  for (const auto& d : read.diagnostics)
    heads.push_back(std::to_string(d.at.line) + ":" + std::to_string(d.at.column) + " " + d.path);
  CHECK(heads
        == std::vector<std::string>{
          "12:15 spec.resources[0].spec.mode", "15:7 spec.resources[1].spec",
          "15:14 spec.resources[1].spec.path", "15:31 spec.resources[1].spec.mode",
          "15:42 spec.resources[1].spec.contnt", "16:7 spec.resources[2].kind"});
}

TEST_CASE("documents: nothing, broken text, another document -> one fault that says so") {
  CHECK(lines_of(read_manifests("a", "# only a comment\n", ""))
        == std::vector<std::string>{"a: no manifest in it"});
  CHECK(lines_of(read_manifests("a", "a: [", ""))
        == std::vector<std::string>{"a:2:1: not valid YAML: end of sequence flow not found"});
  CHECK_FALSE(read_manifests("a", "just text", "").diagnostics.empty());
  CHECK_FALSE(read_manifests("a", "- a\n- b\n", "pi-1").diagnostics.empty());
  CHECK_FALSE(read_manifests("a", "metadata: 5\n", "pi-1").diagnostics.empty());
}

TEST_CASE("documents: files, standard input, several documents -> all manifests") {
  temp_dir folder;
  write_file(folder / "two.yaml", std::string{good} + "---\n" + replaced(good, "pi-1", "pi-2"));
  std::istringstream in{replaced(good, "pi-1", "pi-3")};
  const auto read = load_manifests({{(folder / "two.yaml").string(), "-"}, ""}, in);
  REQUIRE(read.ok());
  CHECK(lines_of(*read).empty());
  REQUIRE(read->manifests.size() == 3);
  CHECK(read->manifests[1].value.metadata.agent == "pi-2");
  CHECK(read->manifests[2].source == "<stdin>");
}

TEST_CASE("documents: two manifests for one agent -> refused") {
  temp_dir folder;
  const auto file = (folder / "one.yaml").string();
  write_file(file, good);
  std::istringstream in{good};
  const auto read = load_manifests({{file, "-"}, ""}, in);
  REQUIRE(read.ok());
  CHECK(lines_of(*read)
        == std::vector<std::string>{
          "<stdin>: metadata.agent: agent 'pi-1' has a manifest already in '" + file + "'"});
}

TEST_CASE("documents: a file that is not there, a folder -> why, and not the code 'not found'") {
  temp_dir folder;
  std::istringstream in;
  const auto missing = load_manifests({{(folder / "none").string()}, ""}, in);
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().message.find("No such file") != std::string::npos);
  CHECK(exit_code_of(missing.error().code) == exit_code::failure);
  const auto directory = load_manifests({{folder.str()}, ""}, in);
  REQUIRE_FALSE(directory.ok());
  CHECK(directory.error().message.find("Is a directory") != std::string::npos);
}

} // namespace

} // namespace harmony::ctl

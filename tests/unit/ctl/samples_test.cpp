// What lies beside the code is checked where it lies: sample manifests and the documentation.
#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>

#include <nlohmann/json.hpp>

#include "apps/ctl/cli.hpp"
#include "apps/ctl/documents.hpp"
#include "apps/ctl/yaml_reader.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace harmony::ctl {

namespace {

const std::filesystem::path source{HARMONY_SOURCE_DIR};

TEST_CASE("samples: every manifest in config/manifests -> valid") {
  std::size_t seen = 0;
  for (const auto& file : std::filesystem::directory_iterator{source / "config/manifests"}) {
    std::istringstream none;
    const auto read = load_manifests({{file.path().string()}, ""}, none);
    REQUIRE(read.ok());
    for (const auto& d : read->diagnostics)
      FAIL_CHECK(d.str());
    CHECK_FALSE(read->manifests.empty());
    ++seen;
  }
  CHECK(seen >= 2);
}

/// All names of fields that a schema knows.
void collect_fields(const nlohmann::json& schema, std::set<std::string>& into) {
  if (schema.is_object())
    for (const auto& [key, value] : schema.items()) {
      if (key == "properties" && value.is_object())
        for (const auto& [name, unused] : value.items())
          into.insert(name);
      collect_fields(value, into);
    }
  else if (schema.is_array())
    for (const auto& item : schema)
      collect_fields(item, into);
}

TEST_CASE("samples: example.yaml -> has every kind and every field of the schema") {
  const auto documents = read_documents(test::read_file(source / "config/manifests/example.yaml"));
  REQUIRE(documents.size() == 1);
  std::set<std::string> used;
  const position_map places{*documents[0].root};
  for (const auto& [path, at] : places.all())
    used.insert(path.substr(path.find_last_of('.') + 1));
  std::set<std::string> fields;
  collect_fields(nlohmann::json::parse(json_schema("AgentManifest")), fields);
  CHECK(fields.size() > 40);
  for (const auto& f : fields) {
    CAPTURE(f);
    CHECK(used.count(f) == 1);
  }
}

void check_mentioned(const command_model& command, const std::string& name,
                     const std::string& text) {
  CAPTURE(name);
  if (command.commands.empty())
    CHECK(text.find(name) != std::string::npos);
  for (const auto& flag : command.flags)
    if (flag.names.front() != "--help") {
      CAPTURE(flag.names.front());
      CHECK(text.find(flag.names.front()) != std::string::npos);
    }
  for (const auto& sub : command.commands)
    check_mentioned(sub, name.empty() ? sub.name : name + " " + sub.name, text);
}

TEST_CASE("documentation: every command and flag -> in docs/harmonyctl.md and in the manual") {
  check_mentioned(command_line(), "", test::read_file(source / "docs/harmonyctl.md"));
  auto manual = test::read_file(source / "docs/man/harmonyctl.1");
  manual.erase(std::remove(manual.begin(), manual.end(), '\\'), manual.end()); // "\-\-store"
  check_mentioned(command_line(), "", manual);
}

} // namespace

} // namespace harmony::ctl

// The YAML and JSON files that harmonyctl takes, and the YAML that it writes.

#include <algorithm>

#include <nlohmann/json.hpp>

#include "apps/ctl/documents.hpp"
#include "apps/ctl/json_reader.hpp"
#include "apps/ctl/printer.hpp"
#include "apps/ctl/yaml_reader.hpp"
#include "fuzz.hpp"

namespace harmony::fuzz {

namespace {

/// Whether a number in it is none of 64 bits. No document of this program has such, and the YAML
/// reader takes 1.10 for a text, as who writes a version means it.
bool has_fraction(const ctl::json& value) {
  return value.is_number_float()
         || (value.is_structured() && std::any_of(value.begin(), value.end(), has_fraction));
}

} // namespace

void take(std::string_view bytes) {
  const auto loaded = ctl::read_manifests("file", bytes, "pi");
  for (const auto& m : loaded.manifests)
    require(m.value.rejected.empty(), "what is loaded is faultless");
  for (const auto& d : loaded.diagnostics)
    require(!d.str().empty(), "a fault has words");

  for (const auto& document : ctl::read_documents(bytes)) {
    require(document.root || !document.issues.empty(), "a document is there, or why not");
    if (!document.root || !document.issues.empty())
      continue;
    const auto value = ctl::json::parse(ctl::to_json(*document.root), nullptr, false);
    require(!value.is_discarded(), "a faultless document is JSON");
    if (has_fraction(value))
      continue;
    const auto again = ctl::read_documents(ctl::to_yaml(value));
    require(again.size() == 1 && again.front().issues.empty() && again.front().root
              && ctl::json::parse(ctl::to_json(*again.front().root)) == value,
            "a document survives the YAML that harmonyctl writes");
  }
}

} // namespace harmony::fuzz

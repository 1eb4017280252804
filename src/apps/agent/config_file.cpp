#include "apps/agent/config_file.hpp"

#include <algorithm>
#include <sstream>

#include <toml++/toml.h>

namespace harmony {

namespace {

std::string place(const std::string& path, const toml::source_region& region) {
  return path + ":" + std::to_string(region.begin.line) + ":" + std::to_string(region.begin.column);
}

} // namespace

outcome<std::vector<config_entry>> read_config_entries(std::string_view toml,
                                                       const std::string& path) {
  std::vector<config_entry> result;
  try {
    const auto table = toml::parse(toml, path);
    for (const auto& [key, node] : table) {
      if (key == "trust" || (key == "policy" && node.is_table()))
        continue; // of read_trust and of read_policy
      config_entry entry{
        std::string{key.str()}, {}, static_cast<unsigned>(node.source().begin.line)};
      if (const auto text = node.value_exact<std::string>()) {
        entry.value = *text;
      } else if (node.is_number() || node.is_boolean()) {
        std::ostringstream out;
        out << std::boolalpha;
        node.visit([&](const auto& value) {
          if constexpr (!toml::is_table<decltype(value)> && !toml::is_array<decltype(value)>)
            out << *value;
        });
        entry.value = out.str();
      } else {
        return {ec::invalid_document, place(path, node.source()) + ": " + entry.key
                                        + ": expected a text, e.g. \"10s\", not a table or a list"};
      }
      result.push_back(std::move(entry));
    }
  } catch (const toml::parse_error& e) {
    const auto where = e.source().begin.line == 0 ? path : place(path, e.source());
    return {ec::invalid_document, where + ": " + std::string{e.description()}};
  }
  std::sort(result.begin(), result.end(),
            [](const config_entry& a, const config_entry& b) { return a.line < b.line; });
  return result;
}

} // namespace harmony

#pragma once

#include <string_view>

#include "apps/ctl/document_tree.hpp"

namespace harmony::ctl {

/// Whether `text` is one well-formed JSON object or array.
bool is_json(std::string_view text);

/// Reads JSON into a tree with places, under the same limits as YAML. Precondition: is_json(text).
document_tree read_json(std::string_view text);

/// Why `text` is not JSON, and where. Precondition: it is not.
located_issue json_fault(std::string_view text);

} // namespace harmony::ctl

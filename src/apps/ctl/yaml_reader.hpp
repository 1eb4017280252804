#pragma once

#include <string_view>
#include <vector>

#include "apps/ctl/document_tree.hpp"

namespace harmony::ctl {

/// A file with manifests may be this large; each manifest in it is bounded by max_document_bytes.
inline constexpr std::size_t max_file_bytes = 8 * max_document_bytes;

/// Reads the documents of a YAML or JSON file. Total: any bytes give documents or issues, never an
/// exception. Empty documents ("---" with nothing after it) are left out.
///
/// Typed are only the plain scalars null, ~ and nothing, true and false, and decimal integers
/// without leading zeros; all else is text, so that `1.10` or `yes` never change on the way. A
/// number with a leading zero, or written 0x… or 0o…, is an issue: its readers disagree about its
/// value. Also issues: duplicate keys, keys that are not text, tags other than YAML's own, merge
/// keys, bytes that are not UTF-8, nesting deeper than max_depth, aliases that refer to themselves
/// or expand a document beyond max_document_bytes.
std::vector<document_tree> read_documents(std::string_view text);

} // namespace harmony::ctl

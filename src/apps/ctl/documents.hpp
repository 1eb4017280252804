#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "apps/ctl/document_tree.hpp"
#include "model/manifest.hpp"
#include "trust/envelope.hpp"

namespace harmony::ctl {

/// One fault of a file, for a person: "demo.yaml:17:9: spec.resources[3].spec.mode: expected …".
struct diagnostic {
  std::string source; ///< the file as it was named, "<stdin>" for "-"
  position at;
  std::string path; ///< empty: the document as a whole
  std::string message;
  ec code = ec::invalid_document;

  [[nodiscard]] std::string str() const;
};

struct loaded_manifest {
  std::string source;
  manifest value;
  bool numbered = true;           ///< it has a generation of its own
  std::optional<envelope> sealed; ///< that it came in: it is signed, and nothing in it may change
};

/// What the files of one command line hold.
struct loading {
  std::vector<loaded_manifest> manifests; ///< the faultless ones
  std::vector<diagnostic> diagnostics;    ///< all faults of all documents, in the order of the text
};

struct loading_options {
  std::vector<std::string> files; ///< "-" is standard input
  std::string agent;              ///< stands in for metadata.agent of every document; may be empty
};

/// Reads every manifest of every file and finds all faults. `metadata.generation` may be missing:
/// the store decides about it. Fails, with io_error, for a file that cannot be read.
outcome<loading> load_manifests(const loading_options& options, std::istream& standard_input);

/// The text of a file, and of a stream; at most one byte more than a file may have, so that a
/// larger one is seen as such. Fails with io_error.
outcome<std::string> read_text(const std::string& file);
std::string read_text(std::istream& in);

/// The same for text that is already there. An envelope is taken off, whoever signed it.
loading read_manifests(const std::string& source, std::string_view text, const std::string& agent);

} // namespace harmony::ctl

#pragma once

#include <chrono>
#include <string>

#include "model/outcome.hpp"

namespace harmony {

/// What a certificate says of itself.
struct certificate_head {
  std::string subject; ///< "CN=pi-0042"
  std::chrono::sys_seconds begins;
  std::chrono::sys_seconds ends;
};

/// Reads a certificate (PEM; of a chain the first) and sees that the key in the other file, which
/// must be private, is its own. Fails as read_secret_file does, and with invalid_document.
outcome<certificate_head> read_certificate(const std::string& file, const std::string& key_file);

} // namespace harmony

#pragma once

#include <string>

namespace harmony::test {

struct certificate_files {
  std::string certificate, key; ///< paths, PEM
};

/// A certificate for 127.0.0.1 that is its own authority, in `folder` under `name`.
certificate_files make_certificate(const std::string& folder, const std::string& name);

/// The server's configuration for it.
std::string tls_config(const certificate_files& of);

} // namespace harmony::test

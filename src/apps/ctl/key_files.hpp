#pragma once

#include <string>
#include <vector>

#include "trust/keys.hpp"

namespace harmony::ctl {

/// Reads a secret key. Fails with permission_denied where others may read the file: a key that they
/// have seen is nobody's.
outcome<secret_key> load_secret_key(const std::string& file);

/// All of them, or the first failure.
outcome<std::vector<secret_key>> load_secret_keys(const std::vector<std::string>& files);

/// Reads a public key; of a file with a secret one, its public half.
outcome<named_key> load_public_key(const std::string& file);

/// The files of one key.
struct key_pair_files {
  std::string secret;
  std::string pub;
  named_key key;
};

/// Makes a key: `<folder>/<name>.key`, mode 0600, and `<folder>/<name>.pub`. Overwrites nothing
/// (name_conflict).
outcome<key_pair_files> generate_key(const std::string& folder, const std::string& name);

} // namespace harmony::ctl

#pragma once

#include <memory>
#include <string>

#include "identity/nkey.hpp"
#include "model/outcome.hpp"

namespace harmony {

/// Where the parts of a log-in lie; an empty path: none.
struct login_files {
  std::string credentials; ///< a user JWT, and its seed too where `nkey` is empty (.creds)
  std::string nkey;        ///< the seed of the user's key, mode 0600
};

/// How a client shows a NATS server who it is.
struct login {
  std::string jwt;                        ///< empty: the server knows the public key itself
  std::shared_ptr<const signing_key> key; ///< null: no log-in of this kind
};

/// Reads the files, each time anew: what was renewed counts from the next connection on. Fails with
/// not_found, permission_denied (others may read a secret), io_error or invalid_spec.
outcome<login> load_login(const login_files& from);

/// The text of a .creds file: JWT and seed, as every NATS client reads them.
std::string creds_text(const std::string& jwt, const nkey_pair& key);

/// The key in `path`, made there (mode 0600) where there is none.
outcome<nkey_pair> load_or_make_key(const std::string& path, nkey_kind kind);

/// The key in `path`, whose file must be private.
outcome<nkey_pair> load_key(const std::string& path);

/// The key in a .creds file, which must be private.
outcome<nkey_pair> load_creds_key(const std::string& path);

} // namespace harmony

#include "identity/login.hpp"

#include <sstream>

#include "identity/secret_file.hpp"
#include "model/secret.hpp"
#include "posix/small_file.hpp"

namespace harmony {

namespace {

/// What a credentials file holds. Around it may stand anything: rulers, warnings, comments.
struct credential_parts {
  std::string jwt, seed;
};

credential_parts parts_of(std::string_view text) {
  credential_parts found;
  std::istringstream lines{std::string{text}};
  for (std::string line; std::getline(lines, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' '))
      line.pop_back();
    if (found.jwt.empty() && line.rfind("eyJ", 0) == 0) // every JWT does: {"
      found.jwt = line;
    else if (found.seed.empty() && line.rfind("SU", 0) == 0)
      found.seed = line;
  }
  return found;
}

outcome<nkey_pair> key_of(const std::string& path, std::string_view seed) {
  auto key = nkey_pair::from_seed(seed);
  if (!key)
    return failure{ec::invalid_spec,
                   "cannot use the key in '" + path + "': " + key.error().message};
  return key;
}

std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find_first_of("\r\n"));
}

} // namespace

outcome<nkey_pair> load_key(const std::string& path) {
  const auto content = read_secret_file(path);
  return content ? key_of(path, first_line(content->reveal())) : content.error();
}

outcome<nkey_pair> load_creds_key(const std::string& path) {
  const auto content = read_secret_file(path);
  if (!content)
    return content.error();
  const secret_bytes seed{parts_of(content->reveal()).seed};
  return key_of(path, seed.reveal());
}

outcome<nkey_pair> load_or_make_key(const std::string& path, nkey_kind kind) {
  auto key = load_key(path);
  if (key || key.error().code != ec::not_found)
    return key;
  const auto made = nkey_pair::make(kind);
  if (auto written = create_secret_file(path, made.seed() + "\n"); !written)
    return written.error();
  return made;
}

outcome<login> load_login(const login_files& from) {
  login result;
  if (!from.credentials.empty()) {
    // A JWT without its key is of no use to whoever reads it.
    const auto content =
      from.nkey.empty() ? read_secret_file(from.credentials) : read_small_file(from.credentials);
    if (!content)
      return content.error();
    auto parts = parts_of(content->reveal());
    const secret_bytes seed{std::move(parts.seed)};
    if (parts.jwt.empty())
      return failure{ec::invalid_spec, "there is no user JWT in '" + from.credentials + "'"};
    result.jwt = std::move(parts.jwt);
    if (from.nkey.empty()) {
      auto key = key_of(from.credentials, seed.reveal());
      if (!key)
        return key.error();
      result.key = std::make_shared<nkey_pair>(std::move(*key));
    }
  }
  if (!from.nkey.empty()) {
    auto key = load_key(from.nkey);
    if (!key)
      return key.error();
    result.key = std::make_shared<nkey_pair>(std::move(*key));
  }
  return result;
}

std::string creds_text(const std::string& jwt, const nkey_pair& key) {
  return "-----BEGIN NATS USER JWT-----\n" + jwt
         + "\n------END NATS USER JWT------\n\n"
           "Keep this file secret (mode 0600): whoever has the seed is this user.\n"
           "-----BEGIN USER NKEY SEED-----\n"
         + key.seed() + "\n------END USER NKEY SEED------\n";
}

} // namespace harmony

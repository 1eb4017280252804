#include "identity/login.hpp"

#include <sstream>

#include <sodium/utils.h>

#include "identity/secret_file.hpp"

namespace harmony {

namespace {

/// What a credentials file holds. Around it may stand anything: rulers, warnings, comments.
struct credential_parts {
  std::string jwt, seed;
};

credential_parts parts_of(const std::string& text) {
  credential_parts found;
  std::istringstream lines{text};
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

outcome<nkey_pair> key_of(const std::string& path, const std::string& seed) {
  if (auto closed = check_private(path); !closed)
    return closed.error();
  auto key = nkey_pair::from_seed(seed);
  if (!key)
    return failure{ec::invalid_spec,
                   "cannot use the key in '" + path + "': " + key.error().message};
  return key;
}

/// A text that is wiped when it goes.
class secret_text {
public:
  explicit secret_text(std::string text) : text_(std::move(text)) {}
  secret_text(const secret_text&) = delete;
  secret_text& operator=(const secret_text&) = delete;
  ~secret_text() { sodium_memzero(text_.data(), text_.size()); }
  [[nodiscard]] const std::string& get() const { return text_; }

private:
  std::string text_;
};

std::string first_line(const std::string& text) {
  return text.substr(0, text.find_first_of("\r\n"));
}

} // namespace

outcome<nkey_pair> load_key(const std::string& path) {
  auto text = read_text_file(path);
  if (!text)
    return text.error();
  const secret_text content{std::move(*text)};
  const secret_text seed{first_line(content.get())};
  return key_of(path, seed.get());
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
    auto text = read_text_file(from.credentials);
    if (!text)
      return text.error();
    const secret_text content{std::move(*text)};
    auto parts = parts_of(content.get());
    const secret_text seed{std::move(parts.seed)};
    if (parts.jwt.empty())
      return failure{ec::invalid_spec, "there is no user JWT in '" + from.credentials + "'"};
    result.jwt = std::move(parts.jwt);
    if (from.nkey.empty()) {
      auto key = key_of(from.credentials, seed.get());
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

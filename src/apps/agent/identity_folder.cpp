#include "apps/agent/identity_folder.hpp"

#include <cerrno>
#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

#include "identity/login.hpp"
#include "identity/secret_file.hpp"
#include "model/manifest.hpp"
#include "posix/small_file.hpp"

namespace harmony {

namespace {

constexpr const char* folder_name = "/identity";
constexpr const char* pending_file = "pending.nk";
constexpr const char* creds_file = "device.creds";
constexpr const char* nkey_file = "device.nk";
constexpr const char* settings_file = "enrolled.toml";

outcome<std::optional<nkey_pair>> if_there(outcome<nkey_pair> key) {
  if (key)
    return std::optional{std::move(*key)};
  if (key.error().code == ec::not_found)
    return std::optional<nkey_pair>{};
  return key.error();
}

std::string line_of(const char* name, const std::string& value) {
  std::string text = std::string{name} + " = \"";
  for (const char c : value) {
    if (c == '"' || c == '\\')
      text += '\\';
    text += c;
  }
  return text + "\"\n";
}

/// The folder and those that it is in; for this user alone.
outcome<void> make_private(const std::string& folder) {
  std::error_code failed;
  if (std::filesystem::create_directories(folder, failed))
    ::chmod(folder.c_str(), 0700);
  if (failed)
    return {ec::io_error, "cannot make the folder '" + folder + "': " + failed.message()};
  return {};
}

} // namespace

std::string enrolled_settings(const std::string& state_dir) {
  return state_dir + folder_name + "/" + settings_file;
}

identity_folder::identity_folder(const std::string& state_dir) : path_(state_dir + folder_name) {}

outcome<std::optional<nkey_pair>> identity_folder::pending() const {
  return if_there(load_key(in(pending_file)));
}

outcome<nkey_pair> identity_folder::make_pending() const {
  if (auto made = make_folders(); !made)
    return made.error();
  const auto asks = pending();
  const auto own = current();
  if (!asks || !own)
    return asks ? own.error() : asks.error();
  // An `adopt` that was interrupted leaves it; a request for what one has would be no rotation.
  if (*asks && *own && (*asks)->public_key() == (*own)->public_key())
    if (auto dropped = drop_pending(); !dropped)
      return dropped.error();
  return load_or_make_key(in(pending_file), nkey_kind::user);
}

outcome<void> identity_folder::drop_pending() const {
  const auto file = in(pending_file);
  if (::unlink(file.c_str()) != 0 && errno != ENOENT)
    return failure_of(errno, "remove '" + file + "'");
  return {};
}

outcome<std::optional<nkey_pair>> identity_folder::current() const {
  std::error_code ignored;
  if (!std::filesystem::exists(in(creds_file), ignored))
    return if_there(load_key(in(nkey_file)));
  return if_there(load_creds_key(in(creds_file)));
}

outcome<std::string> identity_folder::keep_ca(const std::string& pem) const {
  constexpr std::size_t digits = 16;
  const auto file = in("ca-") + sha256_hex(pem).substr(0, digits) + ".pem";
  if (auto made = make_folders(); !made)
    return made.error();
  if (auto kept = replace_file(file, pem); !kept)
    return kept.error();
  return file;
}

outcome<void> identity_folder::make_folders() const {
  if (auto made = make_private(std::filesystem::path{path_}.parent_path()); !made)
    return made;
  return make_private(path_);
}

// The one file that is the identity is replaced at once, so that there is no moment with a key and
// the JWT of another; an agent that runs reads it at its next connection.
outcome<void> identity_folder::adopt(const nkey_pair& key, const enrolled_identity& as) const {
  const bool by_jwt = !as.jwt.empty();
  const auto file = in(by_jwt ? creds_file : nkey_file);
  const auto text = by_jwt ? creds_text(as.jwt, key) : key.seed() + "\n";
  if (auto kept = replace_secret_file(file, text); !kept)
    return kept;
  auto settings = "# Written by 'harmony-agent enroll'. What agent.toml says wins.\n"
                  + line_of("agent-id", as.agent_id) + line_of("store", as.store)
                  + line_of(by_jwt ? "store-credentials" : "store-nkey", file);
  if (!as.ca_file.empty())
    settings += line_of("store-ca", as.ca_file);
  if (auto kept = replace_file(in(settings_file), settings); !kept)
    return kept;
  ::unlink(in(by_jwt ? nkey_file : creds_file).c_str());
  ::unlink(in(pending_file).c_str());
  return {};
}

} // namespace harmony

#include "topology/device_secrets.hpp"

#include <array>

#include <unistd.h>

#include "posix/small_file.hpp"
#include "posix/write_beside.hpp"
#include "topology/files_monitor.hpp"

namespace harmony {

namespace {

failure unavailable(const std::string& what, const std::string& why) {
  return {ec::secret_unavailable, what + " " + why};
}

/// A whole small file; `remedy`: what to do where it is not there.
outcome<secret_bytes> read_file(const std::string& what, const std::string& path,
                                const std::string& remedy,
                                file_keeping keeping = file_keeping::anybodys) {
  auto content = read_small_file(path, {keeping, /*follow_link=*/false, max_secret_bytes});
  if (content)
    return content;
  const auto& why = content.error();
  return why.code == ec::not_found ? unavailable(what, "is not on this device: " + remedy)
                                   : unavailable(what + ":", why.message);
}

/// Makes the key's file, unless another process has made it meanwhile: that one may be in use.
outcome<void> make_key_file(const std::string& path) {
  const auto text = sealing_key::generate().text();
  std::string line; // at once so long, so that no copy of the key is left behind
  line.reserve(text.reveal().size() + 1);
  line.append(text.reveal()).append("\n");
  const secret_bytes content{std::move(line)};
  constexpr mode_t for_owner = 0600;
  if (auto made = write_beside(path, content.reveal(), for_owner, placing::create);
      !made && made.error().code != ec::name_conflict)
    return unavailable("the device's sealing key", "cannot be made: " + made.error().message);
  return {};
}

} // namespace

outcome<secret_bytes> device_secrets::read(const secret_ref& ref, const resource_id& user) {
  switch (ref.from) {
  case secret_source::file:
    return read_file(ref.str(), path_of(ref), "put it at '" + path_of(ref) + "' (mode 0600)");
  case secret_source::credential: {
    const auto remedy = "give the agent's service LoadCredential=" + ref.what
                        + ":PATH (systemctl edit harmony-agent), and restart it";
    if (config_.credentials.empty())
      return unavailable(ref.str(), "is not there, the agent's service has none: " + remedy);
    return read_file(ref.str(), path_of(ref), remedy);
  }
  case secret_source::sealed: break;
  }
  const auto own = key();
  if (!own)
    return own.error();
  return (*own)->open(ref.what, user);
}

outcome<std::string> device_secrets::mark(std::string_view value) {
  const auto own = key();
  if (!own)
    return own.error();
  return (*own)->mark(value);
}

std::string device_secrets::stamp(const secret_ref& ref) {
  const auto path = path_of(ref);
  return path.empty() ? std::string{} : fingerprint_of(path);
}

outcome<sealing_public> device_secrets::sealing_key_of_device() {
  const auto own = key();
  if (!own)
    return own.error();
  return (*own)->pub();
}

std::string device_secrets::path_of(const secret_ref& ref) const {
  switch (ref.from) {
  case secret_source::file: return config_.folder + "/" + ref.what;
  case secret_source::credential:
    return config_.credentials.empty() ? std::string{} : config_.credentials + "/" + ref.what;
  case secret_source::sealed: break;
  }
  return {};
}

outcome<const sealing_key*> device_secrets::key() {
  const std::lock_guard guard{mutex_};
  if (key_)
    return &*key_;
  if (::access(config_.key_file.c_str(), F_OK) != 0)
    if (auto made = make_key_file(config_.key_file); !made)
      return made.error();
  auto text = read_file("the device's sealing key", config_.key_file, "it was removed meanwhile",
                        file_keeping::secret);
  if (!text)
    return text.error();
  auto read = sealing_key::read(text->reveal());
  if (!read)
    return unavailable(
      "the device's sealing key",
      "in '" + config_.key_file
        + "' is none: restore the file, or move it away; then a new key is made, and "
          "what was sealed must be sealed again");
  key_ = std::move(*read);
  return &*key_;
}

} // namespace harmony

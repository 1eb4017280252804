// What `harmony-agent check` sees of whom the device trusts and by what it is known.
#include <algorithm>
#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

#include "apps/agent/check_trust.hpp"
#include "identity/login.hpp"
#include "posix/small_file.hpp"
#include "topology/device_secrets.hpp"
#include "trust/sealing.hpp"

namespace harmony {

namespace {

namespace fs = std::filesystem;

std::optional<hands_sight> look_at_hands(const std::string& folder) {
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0)
    return std::nullopt;
  return hands_sight{folder, info.st_uid == 0 || info.st_uid == ::geteuid(), info.st_mode & 07777U};
}

/// Of the status that the agent keeps on the device.
std::optional<condition> last_condition(const std::string& state_dir, const std::string& type) {
  const auto text = read_small_file(state_dir + "/status.json");
  const auto status = text ? read_status(text->reveal()) : outcome<agent_status>{text.error()};
  if (!status)
    return std::nullopt;
  const auto it = std::find_if(status->conditions.begin(), status->conditions.end(),
                               [&](const condition& c) { return c.type == type; });
  return it == status->conditions.end() ? std::nullopt : std::optional{*it};
}

outcome<std::string> look_at_sealing_key(const std::string& state_dir) {
  const auto path = state_dir + "/" + sealing_key_file;
  const auto text = read_small_file(path, {file_keeping::secret, /*follow_link=*/false});
  if (!text)
    return text.error();
  const auto key = sealing_key::read(text->reveal());
  if (!key)
    return failure{ec::invalid_document, "in '" + path + "' is no sealing key"};
  return fingerprint_of(key->pub());
}

secrets_sight look_at_secrets(const std::string& folder) {
  secrets_sight seen;
  seen.folder = look_at_hands(folder);
  std::error_code failed;
  for (fs::directory_iterator it{folder, failed}, end; !failed && it != end; it.increment(failed)) {
    ++seen.files;
    const small_file_terms terms{file_keeping::secret, /*follow_link=*/false, max_secret_bytes};
    if (const auto fine = check_small_file(it->path().string(), terms); !fine)
      seen.faults.push_back(fine.error().message);
  }
  if (failed && seen.folder)
    seen.faults.push_back("'" + folder + "' cannot be looked into: " + failed.message());
  std::sort(seen.faults.begin(), seen.faults.end());
  return seen;
}

void look_at_login(const agent_options& options, trust_sight& t) {
  const auto as = load_login({options.store_credentials, options.store_nkey});
  if (!options.store_nkey.empty()) {
    const auto key = load_key(options.store_nkey);
    t.device_key =
      key ? outcome<std::string>{key->public_key()} : outcome<std::string>{key.error()};
  } else if (as && as->key) {
    t.device_key = outcome<std::string>{as->key->public_key()};
  }
  if (options.store_credentials.empty() || (!as && t.device_key && !*t.device_key))
    return; // what is wrong is the key
  const auto jwt = as ? read_jwt(as->jwt) : outcome<jwt_head>{as.error()};
  t.credentials =
    jwt ? jwt
        : outcome<jwt_head>{failure{jwt.error().code, as ? "'" + options.store_credentials
                                                             + "': " + jwt.error().message
                                                         : jwt.error().message}};
}

} // namespace

trust_sight look_at_trust(const agent_options& options, timestamp wall) {
  trust_sight t;
  t.agent = options.agent_id;
  t.state_dir = options.state_dir;
  t.policy = options.trust;
  t.local_store = options.store.rfind("dir:", 0) == 0;
  t.running = is_running(options.state_dir);
  t.wall = wall;
  if (!options.config.empty())
    t.config = look_at_hands(fs::absolute(options.config).parent_path().string());
  t.verified = last_condition(options.state_dir, "ManifestVerified");
  t.stale = last_condition(options.state_dir, "DesiredStale");
  look_at_login(options, t);
  if (!options.store_cert.empty())
    t.certificate = read_certificate(options.store_cert, options.store_key);
  t.sealing_key = look_at_sealing_key(options.state_dir);
  t.secrets = look_at_secrets(options.secrets_dir);
  audit_request whole;
  whole.state_dir = options.state_dir;
  t.audit = verify_audit(whole);
  return t;
}

} // namespace harmony

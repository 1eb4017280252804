#include "apps/ctl/server_config.hpp"

#include "apps/ctl/account_claims.hpp"
#include "transport/nats_access.hpp"

namespace harmony::ctl {

namespace {

using nats::control_account;
using nats::enrol_account;
using nats::fleet_account;
using nats::shared_subject;

constexpr const char* no_tls = R"(
# No TLS: for a loopback or a network that is trusted as a whole. --tls-cert, --tls-key and --tls-ca
# of 'harmonyctl server-config' change that.
)";

constexpr const char* why_two_accounts = R"(
# Why two accounts: within one account a client that may publish a request may name any subject for
# the reply, and the server then publishes there, past the client's permissions. A device that may
# only read its own manifest could have that manifest written over another device's. So the streams
# live in CONTROL, and FLEET, where the devices are, imports no more than single services of it:
# a reply from CONTROL reaches only who asked. ENROL is for devices that have no more than a token yet:
# each may ask once to be let into FLEET, and read the answer.
)";

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      result += '\\';
    result += c;
  }
  return result + "\"";
}

std::string list_of(const std::vector<std::string>& subjects, const std::string& indent) {
  std::string text = "[\n";
  for (const auto& each : subjects)
    text += indent + "  " + quoted(each) + "\n";
  return text + indent + "]";
}

std::string head_of(const server_settings& s, const char* mode) {
  auto text = "# A NATS server for a fleet, " + std::string{mode}
              + ". Written by 'harmonyctl server-config': make it anew\n"
                "# rather than edit it. docs/nats-security.md says what it allows, and why.\n\n"
                "listen: "
              + quoted(s.listen)
              + "\nserver_name: harmony-fleet\n\n"
                "# Manifests may have 1 MiB; the server's default of 1 MiB leaves no room for the "
                "headers.\nmax_payload: 2MB\n\njetstream {\n  store_dir: "
              + quoted(s.store_dir)
              + "\n  max_file_store: 20GB\n  max_memory_store: 256MB\n}\n\n"
                "authorization { timeout: 10 } # seconds, for slow links\n";
  if (s.tls_cert.empty())
    return text + no_tls;
  text +=
    "\ntls {\n  cert_file: " + quoted(s.tls_cert) + "\n  key_file: " + quoted(s.tls_key) + "\n";
  if (!s.tls_ca.empty())
    text +=
      "  ca_file: " + quoted(s.tls_ca) + "\n  verify: true # clients show a certificate too\n";
  return text + "  timeout: 10 # seconds, for slow links\n}\n";
}

std::string exports_of(const std::vector<shared_subject>& shared, const char* to) {
  std::string text;
  for (const auto& each : shared)
    text += std::string{"      { "} + (each.is_service ? "service: " : "stream: ")
            + quoted(each.subject) + ", accounts: [" + to + "] }\n";
  return text;
}

std::string imports_of(const std::vector<shared_subject>& shared, const char* from) {
  std::string text = "    imports = [\n";
  for (const auto& each : shared)
    text += std::string{"      { "} + (each.is_service ? "service" : "stream")
            + ": { account: " + from + ", subject: " + quoted(each.subject) + " }"
            + (each.here.empty() ? "" : ", to: " + quoted(each.here)) + " }\n";
  return text + "    ]\n";
}

std::string user_of(const fleet_device& d, const nats::subject_rights& rights,
                    const std::string& more) {
  const std::string indent = "          ";
  return "      { # " + d.id + "\n        nkey: " + d.nkey
         + "\n        permissions {\n          publish { allow = " + list_of(rights.publish, indent)
         + " }\n          subscribe { allow = " + list_of(rights.subscribe, indent) + " }\n" + more
         + "        }\n      }\n";
}

} // namespace

std::string static_user(const fleet_device& d) {
  auto rights = nats::device_rights(d.id);
  for (const auto& cluster : d.clusters) {
    const auto more = nats::member_rights(cluster, d.id);
    rights.publish.insert(rights.publish.end(), more.publish.begin(), more.publish.end());
    rights.subscribe.insert(rights.subscribe.end(), more.subscribe.begin(), more.subscribe.end());
  }
  return user_of(d, rights,
                 "          allow_responses: { max: " + std::to_string(nats::answers_a_command)
                   + ", expires: \"" + std::to_string(nats::answer_within.count()) + "s\" }\n");
}

std::string static_config(const server_settings& settings, const std::vector<std::string>& admins,
                          const std::vector<fleet_device>& devices,
                          const std::vector<fleet_device>& tokens) {
  const auto shared = nats::shared_with_fleet(clusters_of(devices));
  auto text = head_of(settings, "static: it knows each key") + why_two_accounts;
  text += std::string{"accounts {\n  # Operators, the control plane, and the streams.\n  "}
          + control_account + " {\n    jetstream: enabled\n    users = [\n";
  for (const auto& admin : admins)
    text += "      { nkey: " + admin + " }\n";
  text += "    ]\n    exports = [\n" + exports_of(shared, fleet_account)
          + exports_of(nats::shared_with_enrol(), enrol_account)
          + "    ]\n    # Commands go the other way: the devices offer them, operators ask.\n"
          + imports_of(nats::shared_with_control(), fleet_account) + "  }\n\n  # Devices: a user "
          + "each, with rights to its own keys and nothing else.\n  " + fleet_account + " {\n"
          + "    exports = [\n" + exports_of(nats::shared_with_control(), control_account)
          + "    ]\n" + imports_of(shared, control_account) + "    users = [\n";
  for (const auto& device : devices)
    text += static_user({device.id, device.nkey, clusters_of(devices, device.id)});
  text += std::string{"    ]\n  }\n\n  # Who has a token: to ask once, and to read the answer.\n  "}
          + enrol_account + " {\n" + imports_of(nats::shared_with_enrol(), control_account)
          + "    users = [\n";
  for (const auto& token : tokens)
    text += user_of(token, nats::token_rights(token.id), {});
  return text + "    ]\n  }\n}\n";
}

outcome<std::string> operator_config(const server_settings& settings, const keyring& keys,
                                     const std::string& jwt_dir, std::chrono::sys_seconds now) {
  const auto claims = fleet_claims_of(keys, now);
  if (!claims)
    return claims.error();
  auto text = head_of(settings, "operator mode: it knows the operator alone") + why_two_accounts
              + "# Here they are JWTs, signed by the operator; users' JWTs are signed by the "
                "accounts.\n\noperator: "
              + claims->operator_jwt + "\nsystem_account: " + keys.system.public_key() + "\n";
  if (jwt_dir.empty())
    text += "resolver: MEMORY\n";
  else
    text += "resolver {\n  type: full\n  dir: " + quoted(jwt_dir)
            + "\n  allow_delete: false\n  interval: \"2m\"\n}\n";
  text += "resolver_preload: {\n";
  for (const auto& [account, jwt] : claims->accounts)
    text.append("  ").append(account).append(": ").append(jwt).append("\n");
  return text + "}\n";
}

} // namespace harmony::ctl

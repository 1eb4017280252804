// Who may talk to the store: server-config, credentials, revoke.
#include <algorithm>
#include <ostream>
#include <set>

#include "apps/ctl/account_claims.hpp"
#include "apps/ctl/commands.hpp"
#include "apps/ctl/enrolments.hpp"
#include "apps/ctl/fleet_push.hpp"
#include "apps/ctl/keyring.hpp"
#include "apps/ctl/server_config.hpp"
#include "identity/login.hpp"
#include "identity/secret_file.hpp"

namespace harmony::ctl {

namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

sys_seconds now_of(const context& c) {
  return std::chrono::floor<seconds>(c.env.now());
}

outcome<std::vector<fleet_device>> listed_in(const std::string& file) {
  return file.empty() ? std::vector<fleet_device>{} : load_fleet(file);
}

outcome<std::vector<fleet_device>> devices_of(const server_config_options& o) {
  auto devices = listed_in(o.devices_file);
  if (!devices)
    return devices.error();
  for (const auto& each : o.devices) {
    auto device = read_device(each);
    if (!device)
      return device.error();
    devices->push_back(std::move(*device));
  }
  return devices;
}

outcome<std::string> static_text(const server_config_options& o) {
  for (const auto& admin : o.admins)
    if (!is_public_nkey(nkey_kind::user, admin))
      return failure{ec::invalid_spec, "'" + admin + "' is no public nkey of a user (\"U…\")"};
  const auto devices = devices_of(o);
  if (!devices)
    return devices.error();
  const auto tokens = listed_in(o.tokens_file);
  if (!tokens)
    return tokens.error();
  std::set<std::string> known; // the server takes a key but once
  for (const auto& admin : o.admins)
    if (!known.insert(admin).second)
      return failure{ec::invalid_spec, "the operator's key '" + admin + "' is given twice"};
  for (const auto* list : {&*devices, &*tokens})
    for (const auto& each : *list)
      if (!known.insert(each.nkey).second)
        return failure{ec::invalid_spec, "the key of '" + each.id
                                           + "' is given twice: each device "
                                             "and each operator has its own"};
  return static_config(o.server, o.admins, *devices, *tokens);
}

/// A server with a folder of JWTs takes the devices' account of a newer configuration for its own.
void learn_from_server(const context& c, const std::string& folder, keyring& keys) {
  if (const auto learnt = learn_revoked(c, folder, keys, now_of(c)); !learnt)
    c.env.err
      << "where '" << folder
      << "' is an older copy, this configuration lets devices in again that were turned out "
         "since; the server was asked for them, but "
      << learnt.error().message << "\n";
}

outcome<std::string> operator_text(const context& c, const server_config_options& o) {
  auto keys = load_keyring(o.keys);
  if (keys && !o.in_memory) {
    learn_from_server(c, o.keys, *keys);
  } else if (!keys && keys.error().code == ec::not_found) {
    keys = make_keyring(o.keys);
    if (keys)
      c.env.err << "new keys in '" << o.keys
                << "': whoever has them owns the fleet; keep them off the server and the devices, "
                   "and a copy in a safe\n";
  }
  if (!keys)
    return keys.error();
  const auto jwt_dir = o.in_memory ? std::string{} : o.server.store_dir + "/jwt";
  return operator_config(o.server, *keys, jwt_dir, now_of(c));
}

/// Prints the text, or writes it to the file that was asked for.
exit_code deliver(const context& c, const std::string& text, const std::string& file, bool secret) {
  if (file.empty()) {
    c.print(text);
    return exit_code::ok;
  }
  const auto done = secret ? create_secret_file(file, text) : replace_file(file, text);
  return done ? exit_code::ok : c.fail(done.error());
}

} // namespace

exit_code run(const context& c, const server_config_options& o) {
  const auto text = o.keys.empty() ? static_text(o) : operator_text(c, o);
  if (!text && text.error().code == ec::invalid_spec) // an option's value
    return c.fail(exit_code::usage, text.error().message);
  if (!text)
    return c.fail(text.error());
  return deliver(c, *text, o.out, false);
}

exit_code run(const context& c, const nkey_options& o) {
  const auto key = load_or_make_key(o.file, nkey_kind::user);
  if (!key) // as of any key that cannot be used
    return c.fail(exit_code::failure, key.error().message);
  c.print(key->public_key() + "\n");
  return exit_code::ok;
}

exit_code run(const context& c, const credentials_options& o) {
  const auto keys = load_keyring(o.keys);
  if (!keys)
    return c.fail(keys.error());
  const auto made = nkey_pair::make(nkey_kind::user);
  user_request whom{o.name, o.key.empty() ? made.public_key() : o.key, now_of(c), std::nullopt};
  if (!is_public_nkey(nkey_kind::user, whom.nkey))
    return c.fail(exit_code::usage, "'" + o.key + "' is no public nkey of a user (\"U…\")");
  if (o.expires)
    whom.expires = whom.now + std::chrono::ceil<seconds>(*o.expires);
  if (const auto it = keys->revoked.find(whom.nkey); it != keys->revoked.end())
    return c.fail(exit_code::conflict,
                  "that key was revoked; a device that is let in again needs a "
                  "new one");
  if (!o.admin)
    if (const auto noted = note_device(o.keys, o.name, whom.nkey); !noted)
      return c.fail(noted.error());
  for (const auto& cluster : o.clusters)
    if (const auto noted = note_member(o.keys, o.name, cluster); !noted)
      return c.fail(noted.error());
  if (!o.admin) {
    auto clusters = clusters_of_device(o.keys, o.name);
    if (!clusters)
      return c.fail(clusters.error());
    whom.clusters = std::move(*clusters);
  }
  const auto jwt = o.admin ? admin_jwt(*keys, whom) : device_jwt(*keys, whom);
  if (!jwt)
    return c.fail(jwt.error());
  return deliver(c, o.key.empty() ? creds_text(*jwt, made) : *jwt + "\n", o.out, true);
}

namespace {

/// Takes the key that the device has from now on off `known`; fails where it was not let in by it
/// yet, and would be locked out.
outcome<void> spare_newest(const context& c, const revoke_options& o, const keyring& keys,
                           std::vector<std::string>& known) {
  std::erase_if(known, [&](const std::string& key) { return keys.revoked.contains(key); });
  if (known.size() < 2)
    return {ec::not_found, "'" + o.agent + "' has no key that a newer one stands in for"};
  const auto newest = known.back();
  known.pop_back();
  const auto all = read_enrolments(c);
  if (!all)
    return all.error();
  if (std::any_of(all->begin(), all->end(),
                  [&](const enrolment& e) { return e.done && e.record.nkey == newest; }))
    return {};
  return {ec::conflict, "'" + o.agent + "' has not said yet that it was let in by its newest key ("
                          + fingerprint_of(newest)
                          + "), so that the former one stays; see 'harmonyctl enrolments'"};
}

} // namespace

exit_code run(const context& c, const revoke_options& o) {
  auto keys = load_keyring(o.keys);
  if (!keys)
    return c.fail(keys.error());
  auto known = keys_of_device(o.keys, o.agent);
  if (!known)
    return c.fail(known.error());
  if (o.superseded)
    if (const auto spared = spare_newest(c, o, *keys, *known); !spared)
      return c.fail(spared.error());
  if (!o.key.empty())
    std::erase_if(*known, [&](const std::string& key) { return key != o.key; });
  if (known->empty())
    return c.fail(exit_code::not_found, "no credentials were ever made for '" + o.agent + "'"
                                          + (o.key.empty() ? "" : " and the key '" + o.key + "'")
                                          + " with the keys in '" + o.keys + "'");
  const auto now = now_of(c);
  revocations out;
  for (const auto& key : *known)
    out[key] = now;
  if (const auto noted = note_revoked(o.keys, out); !noted)
    return c.fail(noted.error());
  for (const auto& [key, when] : out)
    keys->revoked[key] = when;
  const auto keys_text = std::to_string(known->size()) + (known->size() == 1 ? " key" : " keys")
                         + " of '" + o.agent + "'";
  if (const auto pushed = push_fleet_account(c, o.keys, *keys, now); !pushed)
    return c.fail(exit_code_of(pushed.error().code),
                  keys_text + " noted as revoked in '" + o.keys
                    + "', but the server does not know yet: " + pushed.error().message
                    + "; run it again, or, where the server keeps no JWTs (--in-memory), write its "
                      "server-config anew and reload it");
  c.print(keys_text + " revoked: the server has ended the connection and takes no other\n");
  return exit_code::ok;
}

} // namespace harmony::ctl

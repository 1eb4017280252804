#include "apps/ctl/keyring.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <sstream>
#include <utility>

#include "identity/login.hpp"
#include "identity/secret_file.hpp"
#include "model/ids.hpp"

namespace harmony::ctl {

namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

struct key_file {
  const char* name;
  nkey_kind kind;
  bool newer = false; ///< folders of before have none: it is made where it is missing
};

constexpr std::array key_files{key_file{"operator.nk", nkey_kind::operator_},
                               key_file{"system.nk", nkey_kind::account},
                               key_file{"control.nk", nkey_kind::account},
                               key_file{"fleet.nk", nkey_kind::account},
                               key_file{"enrol.nk", nkey_kind::account, true},
                               key_file{"device-signer.nk", nkey_kind::account},
                               key_file{"enrol-signer.nk", nkey_kind::account, true}};
constexpr const char* devices_file = "devices";
constexpr const char* revoked_file = "revoked";
constexpr const char* members_file = "members";

std::string in(const std::string& folder, const char* name) {
  return folder + "/" + name;
}

/// A list's text; empty where it is missing.
outcome<std::string> text_of(const std::string& path) {
  auto text = read_text_file(path, longest_fleet_list);
  if (!text && text.error().code == ec::not_found)
    return std::string{};
  return text;
}

outcome<revocations> read_revoked(const std::string& path) {
  const auto text = text_of(path);
  if (!text)
    return text.error();
  revocations revoked;
  std::istringstream lines{*text};
  std::int64_t when = 0;
  for (std::string key; lines >> key;) {
    if (!(lines >> when) || !is_public_nkey(nkey_kind::user, key))
      return failure{ec::invalid_document,
                     "'" + path + "' is spoiled: expected a public nkey and a time on each line"};
    auto& latest = revoked[key];
    latest = std::max(latest, sys_seconds{seconds{when}});
  }
  return revoked;
}

struct membership {
  std::string device, cluster;
};

/// Lines "DEVICE CLUSTER".
outcome<std::vector<membership>> read_members(const std::string& path) {
  const auto text = text_of(path);
  if (!text)
    return text.error();
  std::vector<membership> members;
  std::istringstream lines{*text};
  for (membership each; lines >> each.device;) {
    if (!(lines >> each.cluster) || !is_name(each.device) || !is_name(each.cluster))
      return failure{ec::invalid_document,
                     "'" + path + "' is spoiled: expected a device and a cluster on each line"};
    members.push_back(each);
  }
  return members;
}

keyring of(const std::vector<nkey_pair>& keys, revocations revoked,
           const std::vector<membership>& members) {
  keyring made{keys[0], keys[1], keys[2], keys[3], keys[4], keys[5], keys[6], std::move(revoked),
               {}};
  for (const auto& each : members)
    made.clusters.insert(each.cluster);
  return made;
}

} // namespace

revocations later_in(const revocations& theirs, const revocations& ours) {
  revocations later;
  for (const auto& [key, when] : theirs)
    if (const auto own = ours.find(key); own == ours.end() || own->second < when)
      later[key] = when;
  return later;
}

outcome<keyring> load_keyring(const std::string& folder) {
  if (!std::filesystem::is_directory(folder))
    return failure{ec::not_found, "there is no folder of keys '" + folder
                                    + "'; 'harmonyctl server-config --keys' makes one"};
  std::vector<nkey_pair> keys;
  for (const auto& [name, kind, newer] : key_files) {
    auto key = newer ? load_or_make_key(in(folder, name), kind) : load_key(in(folder, name));
    if (!key)
      return key.error();
    if (key->kind() != kind)
      return failure{ec::invalid_document, "'" + in(folder, name) + "' is a key of another kind"};
    keys.push_back(std::move(*key));
  }
  auto revoked = read_revoked(in(folder, revoked_file));
  if (!revoked)
    return revoked.error();
  const auto members = read_members(in(folder, members_file));
  if (!members)
    return members.error();
  return of(keys, std::move(*revoked), *members);
}

// Made beside its place and moved there once it is whole.
outcome<keyring> make_keyring(const std::string& folder) {
  namespace fs = std::filesystem;
  const auto path = fs::path{folder}.lexically_normal();
  const auto name = path.has_filename() ? path : path.parent_path();
  if (fs::exists(name))
    return failure{ec::name_conflict, "'" + folder + "' exists already"};
  const auto fresh = name.string() + ".new";
  std::vector<nkey_pair> keys;
  for (const auto& [file, kind, newer] : key_files) {
    auto key = load_or_make_key(in(fresh, file), kind); // goes on where an earlier run was ended
    if (!key)
      return key.error();
    keys.push_back(std::move(*key));
  }
  std::error_code failed;
  fs::rename(fresh, name, failed);
  if (failed)
    return failure{ec::io_error,
                   "cannot move '" + fresh + "' to '" + name.string() + "': " + failed.message()};
  return of(keys, {}, {});
}

outcome<void> note_device(const std::string& folder, const std::string& id,
                          const std::string& nkey) {
  const auto listed = listed_devices(folder);
  if (!listed)
    return listed.error();
  const fleet_device device{id, nkey, {}};
  if (std::find(listed->begin(), listed->end(), device) != listed->end())
    return {};
  if (auto own = check_own_key(*listed, device); !own)
    return own;
  return append_secret_line(in(folder, devices_file), id + " " + nkey);
}

outcome<std::set<std::string>> clusters_of_device(const std::string& folder,
                                                  const std::string& id) {
  const auto members = read_members(in(folder, members_file));
  if (!members)
    return members.error();
  std::set<std::string> clusters;
  for (const auto& each : *members)
    if (each.device == id)
      clusters.insert(each.cluster);
  return clusters;
}

outcome<void> note_member(const std::string& folder, const std::string& id,
                          const std::string& cluster) {
  const auto noted = clusters_of_device(folder, id);
  if (!noted)
    return noted.error();
  if (noted->contains(cluster))
    return {};
  return append_secret_line(in(folder, members_file), id + " " + cluster);
}

outcome<void> note_revoked(const std::string& folder, const revocations& out) {
  for (const auto& [key, when] : out)
    if (auto done = append_secret_line(in(folder, revoked_file),
                                       key + " " + std::to_string(when.time_since_epoch().count()));
        !done)
      return done;
  return {};
}

outcome<std::vector<fleet_device>> listed_devices(const std::string& folder) {
  return load_fleet_so_far(in(folder, devices_file));
}

outcome<std::vector<std::string>> keys_of_device(const std::string& folder, const std::string& id) {
  const auto listed = listed_devices(folder);
  if (!listed)
    return listed.error();
  return keys_of(*listed, id);
}

} // namespace harmony::ctl

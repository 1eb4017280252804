#include "apps/ctl/fleet_list.hpp"

#include <algorithm>
#include <set>
#include <sstream>

#include "identity/nkey.hpp"
#include "identity/secret_file.hpp"
#include "model/ids.hpp"

namespace harmony::ctl {

outcome<fleet_device> read_device(const std::string& text) {
  const auto mark = text.find('=');
  fleet_device found{text.substr(0, mark), mark == std::string::npos ? "" : text.substr(mark + 1)};
  if (!is_name(found.id))
    return failure{ec::invalid_spec, "'" + found.id + "' is no agent id"};
  if (!is_public_nkey(nkey_kind::user, found.nkey))
    return failure{ec::invalid_spec, "'" + found.nkey
                                       + "' is no public nkey of a user (\"U…\", 56 "
                                         "characters); 'harmony-agent enroll' prints the device's"};
  return found;
}

namespace {

/// What stands behind a device's key; gives what is wrong with it.
std::string read_clusters(std::istringstream& words, std::set<std::string>& into) {
  constexpr std::string_view mark = "cluster=";
  for (std::string word; words >> word;) {
    if (word.rfind(mark, 0) != 0)
      return "expected an id, a public nkey and cluster=NAME, got '" + word + "' after them";
    const auto name = word.substr(mark.size());
    if (!is_name(name))
      return "'" + name + "' is no name of a cluster";
    into.insert(name);
  }
  return {};
}

} // namespace

outcome<std::vector<fleet_device>> read_fleet(const std::string& text, const std::string& source) {
  std::vector<fleet_device> devices;
  std::set<std::string> seen;
  std::istringstream lines{text};
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    std::istringstream words{line.substr(0, line.find('#'))};
    std::string id;
    std::string nkey;
    if (!(words >> id))
      continue;
    words >> nkey;
    auto device = read_device(std::string{id}.append("=").append(nkey));
    const auto more = device ? read_clusters(words, device->clusters) : std::string{};
    auto why = !device                    ? device.error().message
               : !more.empty()            ? more
               : seen.insert(nkey).second ? std::string{}
                                          : "the key of '" + id + "' stands here twice";
    if (!why.empty())
      return failure{ec::invalid_document,
                     std::string{source}.append(":").append(std::to_string(number)).append(": ")
                       + why};
    devices.push_back(std::move(*device));
  }
  return devices;
}

outcome<std::vector<fleet_device>> load_fleet(const std::string& path) {
  const auto text = read_text_file(path, longest_fleet_list);
  if (!text)
    return text.error();
  return read_fleet(*text, path);
}

outcome<std::vector<fleet_device>> load_fleet_so_far(const std::string& path) {
  auto listed = load_fleet(path);
  if (!listed && listed.error().code == ec::not_found)
    return std::vector<fleet_device>{};
  return listed;
}

std::vector<std::string> keys_of(const std::vector<fleet_device>& listed, const std::string& id) {
  std::vector<std::string> keys;
  for (const auto& each : listed)
    if (each.id == id)
      keys.push_back(each.nkey);
  return keys;
}

std::set<std::string> clusters_of(const std::vector<fleet_device>& listed, const std::string& id) {
  std::set<std::string> all;
  for (const auto& each : listed)
    if (each.id == id)
      all.insert(each.clusters.begin(), each.clusters.end());
  return all;
}

std::set<std::string> clusters_of(const std::vector<fleet_device>& listed) {
  std::set<std::string> all;
  for (const auto& each : listed)
    all.insert(each.clusters.begin(), each.clusters.end());
  return all;
}

outcome<void> check_own_key(const std::vector<fleet_device>& listed, const fleet_device& newcomer) {
  const auto holder = std::find_if(listed.begin(), listed.end(), [&](const fleet_device& each) {
    return each.nkey == newcomer.nkey && each.id != newcomer.id;
  });
  if (holder == listed.end())
    return {};
  return {ec::conflict, "that key is already the one of '" + holder->id
                          + "': each device has its own; have '" + newcomer.id
                          + "' make a new one"};
}

} // namespace harmony::ctl

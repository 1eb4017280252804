#include "topology/network_boot_files.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include "topology/network.hpp"
#include "topology/network_address.hpp"
#include "topology/systemd_files.hpp"

namespace harmony {

namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

/// The words of each line of a text file; none where it cannot be read.
std::vector<std::vector<std::string>> words_of(const fs::path& path) {
  std::vector<std::vector<std::string>> lines;
  std::ifstream file{path};
  for (std::string line; std::getline(file, line);) {
    std::istringstream text{line};
    auto& words = lines.emplace_back();
    for (std::string word; text >> word;)
      words.push_back(word);
  }
  return lines;
}

std::string mtu_line(const network_spec& s, const std::string& before) {
  return s.mtu == 0 ? std::string{} : before + std::to_string(s.mtu) + "\n";
}

std::string netdev_text(const network_spec& s) {
  return "[NetDev]\nName=" + s.link + "\nKind=" + made_kind(s.type) + "\n"
         + mtu_line(s, "MTUBytes=");
}

std::string network_text(const network_spec& s) {
  const bool up = s.state == link_state::up;
  auto text = "[Match]\nName=" + s.link + "\n\n[Link]\nActivationPolicy=" + (up ? "up" : "down")
              + "\nRequiredForOnline=no\n" + mtu_line(s, "MTUBytes=")
              + "\n[Network]\nConfigureWithoutCarrier=yes\n";
  for (const auto& a : s.addresses)
    text += "Address=" + a + "\n";
  for (const auto& r : s.routes) {
    const auto route = canonical_route(r).value();
    // networkd has no word for a default: it is the whole network of its version.
    const auto to = route.to != "default" ? route.to : is_ipv6(route) ? "::/0" : "0.0.0.0/0";
    text += "\n[Route]\nDestination=" + to + "\n"
            + (route.via.empty() ? std::string{"Scope=link\n"} : "Gateway=" + route.via + "\n")
            + "Metric=" + std::to_string(route.metric) + "\n";
  }
  return text;
}

std::string making_line(const network_spec& s) {
  if (s.type == link_type::physical)
    return {};
  if (s.type == link_type::vlan)
    return "    pre-up ip link add link " + s.parent + " name " + s.link + " type vlan id "
           + std::to_string(s.vlan_id) + " || true\n";
  return "    pre-up ip link add " + s.link + " type " + made_kind(s.type) + " || true\n";
}

std::string stanza_text(const network_spec& s) {
  auto text = "auto " + s.link + "\niface " + s.link + " inet manual\n" + making_line(s);
  for (const auto& m : s.members)
    text += "    pre-up ip link set dev " + m + " master " + s.link + " || true\n";
  text += mtu_line(s, "    pre-up ip link set dev " + s.link + " mtu ");
  if (s.state == link_state::down)
    return text + "    post-up ip link set dev " + s.link + " down\n";
  text += "    up ip link set dev " + s.link + " up\n";
  for (const auto& a : s.addresses)
    text += "    up ip address replace " + a + " dev " + s.link + "\n";
  for (const auto& r : s.routes) {
    const auto route = canonical_route(r).value();
    text += std::string{"    up ip "} + (is_ipv6(route) ? "-6 " : "") + "route replace " + route.to
            + (route.via.empty() ? std::string{} : " via " + route.via) + " dev " + s.link
            + (route.metric == 0 ? std::string{} : " metric " + std::to_string(route.metric))
            + "\n";
  }
  return text;
}

bool networkd_can(const network_spec& s) {
  return s.type != link_type::vlan && s.members.empty();
}

} // namespace

/// Whether networkd runs and no file but this agent's configures the link. What networkd says of a
/// link is meant for its own tools; a word that is not known here counts as somebody else's file.
bool network_boot_files::networkd_has(const std::string& link) const {
  if (!is_there(root_ / "run/systemd/netif/state"))
    return false;
  std::ifstream number{root_ / "sys/class/net" / link / "ifindex"};
  std::string index;
  number >> index;
  bool unmanaged = true; // a new link, of which it does not know yet
  for (const auto& line : words_of(root_ / "run/systemd/netif/links" / index)) {
    const auto word = line.empty() ? std::string{} : line[0];
    const auto value = word.substr(word.find('=') + 1);
    if (word.rfind("NETWORK_FILE=", 0) == 0)
      return fs::path{value}.filename() == "70-harmony-" + link + ".network";
    if (word.rfind("ADMIN_STATE=", 0) == 0)
      unmanaged = value == "unmanaged" || value == "pending";
  }
  return unmanaged;
}

/// Whether ifupdown is in use and no stanza but this agent's names the link.
bool network_boot_files::ifupdown_has(const std::string& link) const {
  const auto folder = root_ / "etc/network/interfaces.d";
  const auto main = root_ / "etc/network/interfaces";
  if (!is_there(folder) || !(is_there(root_ / "sbin/ifup") || is_there(root_ / "usr/sbin/ifup")))
    return false;
  std::vector<fs::path> files{main};
  std::error_code error;
  fs::directory_iterator entry{folder, error};
  for (; !error && entry != fs::directory_iterator{}; entry.increment(error))
    if (entry->path().filename() != "harmony-" + link)
      files.push_back(entry->path());
  bool read = false; // the folder, by the main file
  for (const auto& file : files)
    for (const auto& line : words_of(file)) {
      if (line.size() >= 2 && line[0] == "iface" && line[1] == link)
        return false;
      if (file == main && line.size() >= 2 && line[0].compare(0, 6, "source") == 0
          && line[1].find("interfaces.d") != std::string::npos)
        read = true;
    }
  return read;
}

outcome<std::vector<boot_file>> network_boot_files::look(const std::string& link,
                                                         const network_spec* spec,
                                                         std::string_view marker) const {
  const auto networkd = root_ / "etc/systemd/network";
  std::vector<boot_file> places{
    {networkd / ("70-harmony-" + link + ".netdev"), {}, {}, false},
    {networkd / ("70-harmony-" + link + ".network"), {}, {}, false},
    {root_ / "etc/network/interfaces.d" / ("harmony-" + link), {}, {}, false}};
  const std::string head{marker};
  if (spec != nullptr && networkd_can(*spec) && networkd_has(link)) {
    if (spec->type != link_type::physical)
      places[0].wanted = head + netdev_text(*spec);
    places[1].wanted = head + network_text(*spec);
  } else if (spec != nullptr && ifupdown_has(link)) {
    places[2].wanted = head + stanza_text(*spec);
  }
  for (auto& place : places) {
    auto file = read_unit_file(place.path);
    if (!file)
      return file.error();
    if (file->what == unit_file::kind::absent)
      continue;
    place.foreign = file->content.compare(0, head.size(), head) != 0;
    place.found = std::move(file->content);
  }
  return places;
}

outcome<void> network_boot_files::put(const std::vector<boot_file>& files) {
  for (const auto& f : files) {
    if (!f.differs())
      continue;
    const auto how = f.found ? overwrite::yes : overwrite::no;
    if (auto done = f.wanted ? write_unit_file(f.path, *f.wanted, how) : remove_unit_file(f.path);
        !done)
      return done;
  }
  return {};
}

} // namespace harmony

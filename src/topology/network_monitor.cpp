#include "topology/network_monitor.hpp"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <utility>

#include "topology/netlink.hpp"
#include "topology/network_address.hpp"

namespace harmony {

namespace {

constexpr std::array groups{RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
                            RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE};

/// The kernel drops announcements when more bytes than this wait.
constexpr int buffer_bytes = 1 << 20;

/// A socket that gets the kernel's announcements; null where it cannot be had.
netlink::socket subscribe() {
  netlink::socket s{nl_socket_alloc()};
  if (!s || nl_connect(s.get(), NETLINK_ROUTE) < 0)
    return {};
  nl_socket_set_buffer_size(s.get(), buffer_bytes, 0);
  for (const auto group : groups)
    if (nl_socket_add_membership(s.get(), group) < 0)
      return {};
  return s;
}

/// What a batch of announcements tells.
struct news {
  std::set<std::string> touched; ///< names of links
  bool all = false;              ///< every target is to be looked at
  bool lost = false;
};

/// Reads announcements. Knows the names of links by their indices, also of those that are gone.
class announcements {
public:
  void read(int fd, news& into) {
    alignas(nlmsghdr) std::array<char, 32768> buffer{};
    for (;;) {
      const auto n = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0) {
        into.lost = into.lost || (errno != EAGAIN && errno != EWOULDBLOCK);
        if (errno == ENOBUFS)
          continue; // what waits is still to be read
        return;
      }
      into.lost = into.lost || static_cast<std::size_t>(n) > buffer.size();
      auto left = static_cast<int>(std::min(static_cast<std::size_t>(n), buffer.size()));
      auto* header = reinterpret_cast<nlmsghdr*>(buffer.data()); // NOLINT
      for (; nlmsg_ok(header, left) != 0; header = nlmsg_next(header, &left))
        take(header, into);
    }
  }

private:
  void take(nlmsghdr* header, news& into) {
    switch (header->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK: take_link(header, into); return;
    case RTM_NEWADDR:
    case RTM_DELADDR:
      if (const auto* body = static_cast<ifaddrmsg*>(nlmsg_data(header)))
        touch(static_cast<int>(body->ifa_index), into);
      return;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      if (const auto* over = nlmsg_find_attr(header, sizeof(rtmsg), RTA_OIF))
        touch(static_cast<int>(nla_get_u32(over)), into);
      return;
    default: return;
    }
  }

  void take_link(nlmsghdr* header, news& into) {
    const auto* body = static_cast<ifinfomsg*>(nlmsg_data(header));
    const auto* name = nlmsg_find_attr(header, sizeof(ifinfomsg), IFLA_IFNAME);
    if (name == nullptr)
      return;
    // Of AF_BRIDGE are those about a membership, which name the bridge as master.
    if (const auto* master = nlmsg_find_attr(header, sizeof(ifinfomsg), IFLA_MASTER))
      touch(static_cast<int>(nla_get_u32(master)), into);
    const std::string text = nla_get_string(name);
    into.touched.insert(text);
    if (body->ifi_family != AF_UNSPEC)
      return;
    if (header->nlmsg_type == RTM_DELLINK) {
      names_.erase(body->ifi_index);
      return;
    }
    const auto known = names_.find(body->ifi_index);
    if (known == names_.end() || known->second != text)
      into.all = true;
    names_[body->ifi_index] = text;
  }

  void touch(int index, news& into) {
    const auto known = names_.find(index);
    if (known != names_.end()) {
      into.touched.insert(known->second);
      return;
    }
    std::array<char, IF_NAMESIZE> name{};
    if (::if_indextoname(static_cast<unsigned>(index), name.data()) != nullptr)
      into.touched.insert(name.data());
  }

  std::map<int, std::string> names_;
};

std::string text_of(const link_facts& l) {
  auto text = l.kind + " " + l.parent + " " + std::to_string(l.vlan_id) + " " + l.master
              + (l.up ? " up" : " down") + (l.carrier ? " carrier " : " ") + std::to_string(l.mtu);
  for (const auto& a : l.addresses)
    text += " " + a.cidr;
  for (const auto& r : l.routes)
    text += ", " + describe(r.route);
  return text;
}

std::string fingerprint_of(const std::string& link, const network_snapshot& all) {
  const auto found = all.find(link);
  if (found == all.end())
    return {};
  auto print = text_of(found->second);
  for (const auto& [name, other] : all)
    if (other.master == link)
      print += "; " + name;
  return print;
}

} // namespace

network_monitor::network_monitor(network_port& network)
  : network_(network), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

network_monitor::~network_monitor() {
  stop();
}

void network_monitor::start(on_hint sink) {
  thread_ = std::thread{[this, sink = std::move(sink)] { run(sink); }};
}

void network_monitor::stop() {
  stopping_ = true;
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one); // full: it is awake already
  if (thread_.joinable())
    thread_.join();
}

void network_monitor::watch(std::vector<std::string> targets) {
  std::sort(targets.begin(), targets.end());
  const std::lock_guard lock{mutex_};
  targets_ = std::move(targets);
}

outcome<std::vector<runtime_fact>> network_monitor::relist(std::chrono::milliseconds /*timeout*/) {
  std::vector<std::string> targets;
  {
    const std::lock_guard lock{mutex_};
    targets = targets_;
  }
  const auto all = network_.snapshot();
  if (!all)
    return all.error();
  std::vector<runtime_fact> facts;
  facts.reserve(targets.size());
  for (auto& t : targets) {
    auto print = fingerprint_of(t, *all);
    facts.push_back({std::move(t), std::move(print)});
  }
  return facts;
}

bool network_monitor::streaming() const {
  return streaming_;
}

void network_monitor::run(const on_hint& sink) {
  const auto socket = subscribe();
  if (!socket)
    return; // streaming is false: relists come often instead
  announcements from;
  streaming_ = true;
  // What happened before the subscription was not announced.
  sink({});
  while (!stopping_) {
    const int fd = nl_socket_get_fd(socket.get());
    std::array<pollfd, 2> both{{{wake_.get(), POLLIN, 0}, {fd, POLLIN, 0}}};
    ::poll(both.data(), both.size(), -1);
    if (stopping_)
      break;
    news found;
    from.read(fd, found);
    if (found.lost)
      sink({});
    if (found.all) {
      const std::lock_guard lock{mutex_};
      found.touched.insert(targets_.begin(), targets_.end());
    }
    tell(sink, found.touched);
  }
  streaming_ = false;
}

void network_monitor::tell(const on_hint& sink, const std::set<std::string>& touched) {
  for (const auto& name : touched) {
    {
      const std::lock_guard lock{mutex_};
      if (!std::binary_search(targets_.begin(), targets_.end(), name))
        continue;
    }
    if (!stopping_)
      sink(name);
  }
}

} // namespace harmony

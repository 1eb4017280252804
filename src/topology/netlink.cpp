#include "topology/netlink.hpp"

#include <sys/socket.h>

#include <cstring>

#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/handlers.h>
#include <netlink/route/link/vlan.h>

namespace harmony::netlink {

namespace {

/// The kernel's explanation (extended acknowledgement), where the error has one.
std::string words_of(const nlmsgerr& error) {
  // libnl hands out the payload; the header lies before it.
  const auto* header = reinterpret_cast<const nlmsghdr*>(&error) - 1; // NOLINT
  if ((header->nlmsg_flags & NLM_F_ACK_TLVS) == 0)
    return {};
  std::size_t skip = sizeof error;
  if ((header->nlmsg_flags & NLM_F_CAPPED) == 0)
    skip += error.msg.nlmsg_len - sizeof(nlmsghdr);
  const auto size = static_cast<std::size_t>(nlmsg_datalen(header));
  skip = NLMSG_ALIGN(skip);
  if (skip >= size)
    return {};
  const auto* first =
    reinterpret_cast<const nlattr*>(static_cast<const char*>(nlmsg_data(header)) + skip); // NOLINT
  const auto* text = nla_find(first, static_cast<int>(size - skip), NLMSGERR_ATTR_MSG);
  return text == nullptr ? std::string{} : std::string{nla_get_string(text)};
}

int on_error(sockaddr_nl*, nlmsgerr* error, void* into) {
  *static_cast<verdict*>(into) = {-error->error, words_of(*error)};
  return NL_STOP;
}

int on_success(nl_msg*, void*) {
  return NL_STOP;
}

} // namespace

outcome<socket> connect() {
  socket s{nl_socket_alloc()};
  if (!s)
    return {ec::runtime_unavailable, "there is no memory for a netlink socket"};
  if (const int error = nl_connect(s.get(), NETLINK_ROUTE); error < 0)
    return {ec::runtime_unavailable,
            std::string{"the kernel's routing cannot be asked: "} + nl_geterror(error)};
  // Explanations, and without a copy of the request. An older kernel just does not give them.
  const int on = 1;
  for (const int option : {NETLINK_EXT_ACK, NETLINK_CAP_ACK})
    ::setsockopt(nl_socket_get_fd(s.get()), SOL_NETLINK, option, &on, sizeof on);
  return s;
}

verdict transact(nl_sock* with, nl_msg* request) {
  verdict result;
  if (const int error = nl_send_auto(with, request); error < 0)
    return {EIO, nl_geterror(error)};
  std::unique_ptr<nl_cb, freed_by<nl_cb_put>> answers{nl_cb_alloc(NL_CB_DEFAULT)};
  nl_cb_err(answers.get(), NL_CB_CUSTOM, on_error, &result);
  nl_cb_set(answers.get(), NL_CB_ACK, NL_CB_CUSTOM, on_success, nullptr);
  const int error = nl_recvmsgs(with, answers.get());
  if (error < 0 && result.error == 0)
    result = {EIO, nl_geterror(error)};
  return result;
}

message making_request(const new_link& what, int parent) {
  const bool vlan = what.kind == "vlan";
  const link made{vlan ? rtnl_link_vlan_alloc() : rtnl_link_alloc()};
  rtnl_link_set_name(made.get(), what.name.c_str());
  if (vlan) {
    rtnl_link_set_link(made.get(), parent);
    rtnl_link_vlan_set_id(made.get(), what.vlan_id);
  } else {
    rtnl_link_set_type(made.get(), what.kind.c_str());
  }
  nl_msg* request = nullptr;
  rtnl_link_build_add_request(made.get(), NLM_F_CREATE | NLM_F_EXCL, &request);
  return message{request};
}

} // namespace harmony::netlink

#include "topology/network.hpp"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <array>

#include "support/catch.hpp"
#include "topology/netlink.hpp"
#include "topology/network_address.hpp"

namespace harmony::test {

TEST_CASE("network address: any spelling -> one, or InvalidSpec") {
  CHECK(canonical_address("10.0.0.2/24").value() == "10.0.0.2/24");
  CHECK(canonical_address("FD00:0:0::1/64").value() == "fd00::1/64");
  CHECK(canonical_address("::ffff:1.2.3.4/128").value() == "::ffff:1.2.3.4/128");
  for (const auto* wrong : {"", "10.0.0.2", "10.0.0.2/33", "10.0.0/8", "fd00::1/129", "fd00:::1/64",
                            "10.0.0.2/", "10.0.0.2/024", "10.0.0.2/-1", "10.0.0.2/2x"}) {
    INFO(wrong);
    REQUIRE_FALSE(canonical_address(wrong).ok());
    CHECK(canonical_address(wrong).error().code == ec::invalid_spec);
  }
  CHECK(is_link_local("fe80::1/64"));
  CHECK_FALSE(is_link_local("fd80::1/64"));
  CHECK_FALSE(is_link_local("10.0.0.1/24"));
}

TEST_CASE("network route: any spelling -> one, as the kernel would have it") {
  const auto text = [](const network_route& r) { return describe(canonical_route(r).value()); };
  CHECK(text({"default", "10.0.0.1", 0}) == "default via 10.0.0.1");
  CHECK(text({"0.0.0.0/0", "", 3}) == "default metric 3");
  CHECK(text({"default", "FD00::1", 0}) == "default via fd00::1 metric 1024");
  CHECK(text({"::/0", "fd00::1", 5}) == "default via fd00::1 metric 5");
  CHECK(text({"::/0", "", 0}) == "::/0 metric 1024");
  CHECK(text({"FD05:0::/64", "", 0}) == "fd05::/64 metric 1024");
  CHECK(is_ipv6(canonical_route({"::/0", "", 0}).value()));
  CHECK(is_ipv6(canonical_route({"default", "fd00::1", 0}).value()));
  CHECK_FALSE(is_ipv6(canonical_route({"default", "", 0}).value()));
  for (const auto& wrong : std::vector<network_route>{{"10.0.0.1/24", "", 0},
                                                      {"fd00::1/64", "", 0},
                                                      {"10.0.0.0/24", "fd00::1", 0},
                                                      {"fd00::/64", "10.0.0.1", 0},
                                                      {"default", "10.0.0", 0},
                                                      {"nowhere", "", 0}}) {
    INFO(describe(wrong));
    REQUIRE_FALSE(canonical_route(wrong).ok());
    CHECK(canonical_route(wrong).error().code == ec::invalid_spec);
  }
}

TEST_CASE("network request: link to be made -> the attributes that rtnetlink(7) names") {
  const auto parsed = [](const new_link& what, int parent, auto check) {
    const auto request = netlink::making_request(what, parent);
    REQUIRE(request);
    auto* header = nlmsg_hdr(request.get());
    CHECK(header->nlmsg_type == RTM_NEWLINK);
    CHECK((header->nlmsg_flags & (NLM_F_CREATE | NLM_F_EXCL)) == (NLM_F_CREATE | NLM_F_EXCL));
    std::array<nlattr*, IFLA_MAX + 1> all{};
    REQUIRE(nlmsg_parse(header, sizeof(ifinfomsg), all.data(), IFLA_MAX, nullptr) == 0);
    CHECK(nla_get_string(all[IFLA_IFNAME]) == what.name);
    std::array<nlattr*, IFLA_INFO_MAX + 1> info{};
    REQUIRE(nla_parse_nested(info.data(), IFLA_INFO_MAX, all[IFLA_LINKINFO], nullptr) == 0);
    CHECK(nla_get_string(info[IFLA_INFO_KIND]) == what.kind);
    check(all, info);
  };
  parsed({"d0", "dummy", {}, 0}, 0, [](auto& all, auto&) { CHECK(all[IFLA_LINK] == nullptr); });
  parsed({"b0", "bridge", {}, 0}, 0, [](auto& all, auto&) { CHECK(all[IFLA_LINK] == nullptr); });
  parsed({"v7", "vlan", "eth0", 7}, 3, [](auto& all, auto& info) {
    CHECK(nla_get_u32(all[IFLA_LINK]) == 3);
    std::array<nlattr*, IFLA_VLAN_MAX + 1> vlan{};
    REQUIRE(nla_parse_nested(vlan.data(), IFLA_VLAN_MAX, info[IFLA_INFO_DATA], nullptr) == 0);
    CHECK(nla_get_u16(vlan[IFLA_VLAN_ID]) == 7);
  });
}

} // namespace harmony::test

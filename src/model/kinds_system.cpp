// The tables of the kinds that change the system itself: ShellJob, Package, User, Network.

#include <algorithm>

#include "model/detail/shapes.hpp"

namespace harmony::detail {

namespace {

/// `command[0]` must be a path: what a name is found by differs from device to device.
template <class S>
rule<S> absolute_program(std::string_view field, std::vector<std::string> S::*get) {
  const std::string name{field};
  return {[=](const json&, const S& s, const place& where) {
            const auto& words = s.*get;
            if (!words.empty() && (words.front().empty() || words.front().front() != '/'))
              where.at(name).at(0).fail("expected an absolute path of a program, got "
                                        + shown(words.front()));
          },
          {}};
}

/// What a field needs of `type`, in both directions.
rule<network_spec> fields_by_type() {
  const auto only = [](const char* field, const char* type) {
    return json{{"if", {{"required", {field}}}},
                {"then", {{"properties", {{"type", {{"const", type}}}}}, {"required", {"type"}}}}};
  };
  const json vlan_needs{
    {"if", {{"properties", {{"type", {{"const", "vlan"}}}}}, {"required", {"type"}}}},
    {"then", {{"required", {"parent", "vlanId"}}}}};
  return {[](const json& object, const network_spec& n, const place& where) {
            const auto only_of = [&](const char* field, link_type type, const char* name) {
              if (object.contains(field) && n.type != type)
                where.at(field).fail(std::string{"is of a "} + name
                                     + " alone; leave it out, or write type: " + name);
            };
            only_of("parent", link_type::vlan, "vlan");
            only_of("vlanId", link_type::vlan, "vlan");
            only_of("members", link_type::bridge, "bridge");
            for (const auto* field : {"parent", "vlanId"})
              if (n.type == link_type::vlan && !object.contains(field))
                where.at(field).fail("is missing; a vlan needs it");
          },
          json::array({only("parent", "vlan"), only("vlanId", "vlan"), only("members", "bridge"),
                       vlan_needs})};
}

shape<network_route> route_shape() {
  using S = network_route;
  return object<S>(
    "Route",
    {
      required<S>("to", &S::to, text(formats::route_target),
                  R"("default", or a network such as "10.1.0.0/16".)"),
      optional<S>("via", &S::via, text(formats::ip_address), "Gateway. Left out: on the link."),
      optional<S>("metric", &S::metric, whole<std::uint32_t>(0, 0xFFFFFFFFU),
                  "Smaller goes first."),
    });
}

} // namespace

shape<shell_job_spec> shell_job_shape() {
  using S = shell_job_spec;
  return object<S>(
    "ShellJob",
    {
      required<S>("command", &S::command, list_of(text(formats::argument), 1),
                  "Argument vector; the program by its absolute path. No shell is between."),
      optional<S>("unless", &S::unless, list_of(text(formats::argument), 1),
                  "Argument vector; where it exits with 0, there is nothing to do."),
      optional<S>("creates", &S::creates, text(formats::path),
                  "Where this path exists, there is nothing to do."),
      optional<S>("env", &S::env, dictionary(formats::variable, formats::argument), "Environment."),
      optional<S>("workingDir", &S::working_dir, text(formats::host_path), R"(Left out: "/".)"),
      optional<S>("user", &S::user, text(formats::account),
                  "Left out: a user made up for the run."),
      optional<S>("writablePaths", &S::writable, list_of(text(formats::path)),
                  "What it may write to; all else is read-only."),
      optional<S>("network", &S::network, boolean(), "Whether it sees the device's network."),
      optional<S>("timeoutSeconds", &S::timeout, whole<std::uint32_t>(1, 86400),
                  "Of one run; then it is killed."),
      optional<S>("memory", &S::memory, memory_size(), "Limit."),
      optional<S>("tasksLimit", &S::tasks, whole<std::uint32_t>(1, 4194304),
                  "Limit of processes and threads."),
      optional<S>("cpuPercent", &S::cpu_percent, whole<std::uint32_t>(1, 10000),
                  "Limit, of one core."),
    },
    {absolute_program<S>("command", &S::command), absolute_program<S>("unless", &S::unless)});
}

shape<package_spec> package_shape() {
  using S = package_spec;
  return object<S>(
    "Package",
    {
      required<S>("package", &S::package, text(formats::package), "Its name in the distribution."),
      optional<S>("state", &S::state, named<package_state>({"present", "absent"}),
                  "Whether it is installed."),
      optional<S>("version", &S::version, text(formats::package_version),
                  "Exact version. Left out: the one that is there, or the newest."),
    },
    {{[](const json& object, const S& p, const place& where) {
        if (p.state == package_state::absent && object.contains("version"))
          where.at("version").fail("an absent package has no version; leave it out");
      },
      json::array({{{"not",
                     {{"properties", {{"state", {{"const", "absent"}}}}},
                      {"required", {"state", "version"}}}}}})}});
}

shape<user_spec> user_shape() {
  using S = user_spec;
  return object<S>(
    "User",
    {
      required<S>("user", &S::user, text(formats::account_name), "Login name."),
      maybe<S>("uid", &S::uid, whole<std::uint32_t>(1, 4294967293), "Left out: the next free one."),
      optional<S>("group", &S::group, text(formats::account_name),
                  "Primary group. Left out: one of its own name."),
      optional<S>("groups", &S::groups, list_of(text(formats::account_name)),
                  "Further groups that it must be in; they must exist."),
      maybe<S>("home", &S::home, text(formats::host_path), "Left out: the distribution's default."),
      maybe<S>("shell", &S::shell, text(formats::path), "Left out: the distribution's default."),
      optional<S>("comment", &S::comment, text(formats::gecos), "Its full name or purpose."),
      optional<S>("system", &S::system, boolean(), "Whether it is a system account."),
      optional<S>("adopt", &S::adopt, boolean(),
                  "Take over an account that is there and is not the agent's."),
    });
}

shape<network_spec> network_shape() {
  using S = network_spec;
  return object<S>(
    "Network",
    {
      required<S>("link", &S::link, text(formats::link), "Name of the interface."),
      optional<S>("type", &S::type, named<link_type>({"physical", "dummy", "bridge", "vlan"}),
                  "What it is. A physical one must be there; the others are made."),
      optional<S>("parent", &S::parent, text(formats::link), "Link that a vlan lies on."),
      optional<S>("vlanId", &S::vlan_id, whole<std::uint16_t>(1, 4094), "Of a vlan."),
      optional<S>("members", &S::members, list_of(text(formats::link)), "Links of a bridge."),
      optional<S>("state", &S::state, named<link_state>({"up", "down"}), "Whether it is up."),
      optional<S>("mtu", &S::mtu, whole<std::uint32_t>(68, 65535), "Left out: as it is."),
      optional<S>("addresses", &S::addresses, list_of(text(formats::cidr)),
                  R"(Addresses with their prefix, such as "10.0.0.2/24".)"),
      optional<S>("routes", &S::routes, list_of(route_shape()), "Routes over this link."),
      optional<S>("confirmSeconds", &S::confirm, whole<std::uint32_t>(0, 3600),
                  "A change after which the store is not reached again in this time is undone; "
                  "0: never."),
    },
    {fields_by_type()});
}

} // namespace harmony::detail

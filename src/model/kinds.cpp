// The tables of the kinds: what stands in `spec`.

#include <tuple>

#include "model/detail/dictionary.hpp"
#include "model/detail/shapes.hpp"

namespace harmony::detail {

namespace {

shape<remote_content> remote_shape() {
  using S = remote_content;
  return object<S>(
    "RemoteContent",
    {
      required<S>("url", &S::url, text(formats::url), "Where to download from."),
      required<S>("sha256", &S::sha256, text(formats::sha256), "Hash that the content must have."),
    });
}

/// Of a secret_ref: one of its sources, and what names it there.
field<secret_ref> secret_field(std::string_view name, secret_source from, const format& which,
                               std::string_view doc) {
  const auto form = text(which);
  return {
    name,
    doc,
    false,
    form.expected(),
    [=](const json& v, secret_ref& s, const place& at) {
      s.from = from;
      form.read(v, s.what, at);
    },
    [=](const secret_ref& s) -> std::optional<json> {
      return s.from == from ? std::optional{form.write(s.what)} : std::nullopt;
    },
    [=](schema_context& ctx) { return form.schema(ctx); },
  };
}

} // namespace

shape<secret_ref> secret_shape() {
  return object<secret_ref>(
    "SecretRef",
    {
      secret_field("file", secret_source::file, formats::secret,
                   "Name of a file in the device's folder of secrets."),
      secret_field("credential", secret_source::credential, formats::secret,
                   "Name of a systemd credential of the agent's service."),
      secret_field("sealed", secret_source::sealed, formats::base64,
                   "The value, encrypted to the device's sealing key (harmonyctl seal)."),
    },
    {exactly_one<secret_ref>({"file", "credential", "sealed"})});
}

namespace {

/// What everybody may read is no secret any more.
rule<file_spec> secret_mode() {
  const json given{{"required", {"secretRef"}}};
  const json private_mode{{"required", {"mode"}}, {"properties", {{"mode", {{"pattern", "0$"}}}}}};
  return {[](const json& object, const file_spec& f, const place& where) {
            if (!object.contains("secretRef"))
              return;
            constexpr auto wanted = R"(a mode without rights for others, such as "0600")";
            if (!object.contains("mode"))
              where.at("mode").fail(std::string{"is missing; a secret needs "} + wanted);
            else if (f.mode == object["mode"] && f.mode.back() != '0')
              mismatch(where.at("mode"), std::string{wanted} + ", for a secret", object["mode"]);
          },
          json::array({{{"if", given}, {"then", private_mode}}})};
}

shape<file_spec> file_shape() {
  using S = file_spec;
  return object<S>(
    "File",
    {
      required<S>("path", &S::path, text(formats::path), "Where the file is."),
      maybe<S>("content", &S::content, text(formats::text), "Its content, as text."),
      maybe<S>("contentBase64", &S::content_base64, text(formats::base64),
               "Its content, as base64."),
      maybe<S>("source", &S::source, remote_shape(), "Its content, to be downloaded."),
      maybe<S>("secretRef", &S::secret, secret_shape(),
               "Its content, a secret of the device; `mode` must be given then."),
      optional<S>("mode", &S::mode, text(formats::mode), "Permissions."),
      optional<S>("owner", &S::owner, text(formats::account), "User. Left out: the agent's own."),
      optional<S>("group", &S::group, text(formats::account),
                  "Group. Left out: the owner's primary one."),
      optional<S>("adopt", &S::adopt, boolean(),
                  "Take over a file that is there and is not the agent's."),
    },
    {exactly_one<S>({"content", "contentBase64", "source", "secretRef"}), secret_mode()});
}

shape<directory_spec> directory_shape() {
  using S = directory_spec;
  return object<S>(
    "Directory",
    {
      required<S>("path", &S::path, text(formats::path), "Where the folder is."),
      optional<S>("mode", &S::mode, text(formats::mode), "Permissions."),
      optional<S>("owner", &S::owner, text(formats::account), "User. Left out: the agent's own."),
      optional<S>("group", &S::group, text(formats::account),
                  "Group. Left out: the owner's primary one."),
      optional<S>("adopt", &S::adopt, boolean(),
                  "Take over a folder that is there and is not the agent's."),
    });
}

shape<systemd_unit_spec> unit_shape() {
  using S = systemd_unit_spec;
  return object<S>(
    "SystemdUnit",
    {
      required<S>("unit", &S::unit, text(formats::unit), "Full name of the unit."),
      maybe<S>("content", &S::content, text(formats::argument),
               "Of the unit file. Left out: the unit is somebody else's, and only whether it is "
               "enabled and its state are managed."),
      maybe<S>("enabled", &S::enabled, boolean(), "Whether it starts at boot. Left out: as it is."),
      optional<S>("state", &S::state, named<unit_state>({"active", "inactive"}),
                  "Whether it runs."),
    });
}

shape<port_mapping> port_shape() {
  using S = port_mapping;
  const auto port = whole<std::uint16_t>(1, 65535);
  return object<S>("Port",
                   {
                     required<S>("host", &S::host, port, "Port of the device."),
                     required<S>("container", &S::container, port, "Port in the container."),
                     optional<S>("protocol", &S::protocol,
                                 named<transport_protocol>({"tcp", "udp"}), "Transport."),
                     optional<S>("hostIp", &S::host_ip, text(formats::ip_address),
                                 "Address of the device. Left out: all."),
                   });
}

/// What `source` is depends on `type`.
rule<container_mount> mount_source() {
  const auto of = [](const char* type, json then) {
    return json{{"if", {{"properties", {{"type", {{"const", type}}}}}, {"required", {"type"}}}},
                {"then", std::move(then)}};
  };
  const auto source = [](const format& f) {
    return json{{"required", {"source"}}, {"properties", {{"source", {{"pattern", f.pattern}}}}}};
  };
  auto bind = of("bind", source(formats::host_path));
  bind["if"].erase("required"); // the default
  return {[](const json& object, const container_mount& m, const place& where) {
            const bool given = object.contains("source");
            const auto need = [&](const format& f, std::string_view what) {
              if (!given)
                where.at("source").fail("is missing; expected " + std::string{what});
              else if (!m.source.empty() && !f.accepts(m.source))
                mismatch(where.at("source"), f.expected, m.source);
            };
            switch (m.type) {
            case mount_type::bind: need(formats::host_path, "the path on the device"); break;
            case mount_type::volume: need(formats::volume, "the name of the volume"); break;
            case mount_type::tmpfs:
              if (given)
                where.at("source").fail("a tmpfs has no source; leave it out");
              break;
            }
          },
          json::array({bind, of("volume", source(formats::volume)),
                       of("tmpfs", {{"not", {{"required", {"source"}}}}})})};
}

shape<container_mount> mount_shape() {
  using S = container_mount;
  return object<S>(
    "Mount",
    {
      optional<S>("type", &S::type, named<mount_type>({"bind", "volume", "tmpfs"}),
                  "What is mounted."),
      optional<S>("source", &S::source, text(formats::program),
                  "Path on the device (bind) or name of the volume (volume)."),
      required<S>("target", &S::target, text(formats::path), "Path in the container."),
      optional<S>("readOnly", &S::read_only, boolean(), "Without writes."),
    },
    {mount_source()});
}

/// No port of the device is published twice, no path is mounted twice.
rule<container_spec> distinct_ports_and_mounts() {
  return {[](const json&, const container_spec& c, const place& where) {
            std::map<std::tuple<transport_protocol, std::uint16_t, std::string>, std::size_t> taken;
            for (std::size_t i = 0; i < c.ports.size(); ++i) {
              const auto& p = c.ports[i];
              if (p.host == 0)
                continue; // was not read
              // No address means all of them, which is the first of a port's keys.
              auto other = taken.lower_bound({p.protocol, p.host, ""});
              const bool busy = other != taken.end() && std::get<0>(other->first) == p.protocol
                                && std::get<1>(other->first) == p.host;
              if (busy && !p.host_ip.empty() && !std::get<2>(other->first).empty())
                other = taken.find({p.protocol, p.host, p.host_ip});
              if (busy && other != taken.end())
                where.at("ports").at(i).at("host").fail("host port " + std::to_string(p.host)
                                                        + " is published by ports["
                                                        + std::to_string(other->second) + "] too");
              taken.try_emplace({p.protocol, p.host, p.host_ip}, i);
            }
            std::map<std::string_view, std::size_t> targets;
            for (std::size_t i = 0; i < c.mounts.size(); ++i)
              if (const auto [first, fresh] = targets.try_emplace(c.mounts[i].target, i);
                  !fresh && !c.mounts[i].target.empty())
                where.at("mounts").at(i).at("target").fail(
                  shown(c.mounts[i].target) + " is the target of mounts["
                  + std::to_string(first->second) + "] too");
          },
          {}};
}

/// A variable has one value.
rule<container_spec> distinct_variables() {
  return {[](const json&, const container_spec& c, const place& where) {
            for (const auto& [name, ref] : c.secret_env)
              if (c.env.count(name) != 0)
                where.at("secretEnv").at(name).fail("is in 'env' too; take it out of one");
          },
          {}};
}

shape<container_spec> container_shape() {
  using S = container_spec;
  const auto arguments = list_of(text(formats::argument));
  return object<S>(
    "Container",
    {
      required<S>("image", &S::image, text(formats::image), "Image, by digest or tag."),
      optional<S>("pullPolicy", &S::pull, named<pull_policy>({"IfNotPresent", "Always", "Never"}),
                  "When the image is pulled."),
      optional<S>("entrypoint", &S::entrypoint, arguments, "Left out: the image's."),
      optional<S>("command", &S::command, arguments, "Arguments. Left out: the image's."),
      optional<S>("env", &S::env, dictionary(formats::variable, formats::argument),
                  "Environment, over the image's."),
      optional<S>("secretEnv", &S::secret_env,
                  dictionary_of(formats::variable, secret_shape(), "an object of secretRefs"),
                  "Environment whose values are secrets of the device."),
      optional<S>("ports", &S::ports, list_of(port_shape()), "Published ports."),
      optional<S>("mounts", &S::mounts, list_of(mount_shape()), "What is mounted in it."),
      optional<S>("user", &S::user, text(formats::run_as), "Left out: the image's."),
      optional<S>("network", &S::network, text(formats::volume),
                  "\"bridge\", \"host\", \"none\" or a network's name. Left out: the runtime's "
                  "default."),
      optional<S>("workingDir", &S::working_dir, text(formats::host_path),
                  "Left out: the image's."),
      optional<S>("memory", &S::memory, memory_size(), "Limit. Left out: none."),
      optional<S>("pidsLimit", &S::pids_limit, whole<std::uint32_t>(1, 4194304),
                  "Limit of processes and threads. Left out: the runtime's default."),
    },
    {distinct_ports_and_mounts(), distinct_variables()});
}

shape<exec_probe> exec_shape() {
  using S = exec_probe;
  return object<S>("ExecProbe",
                   {
                     required<S>("command", &S::command, list_of(text(formats::argument), 1),
                                 "Argument vector; success is exit code 0."),
                   });
}

shape<tcp_probe> tcp_shape() {
  using S = tcp_probe;
  return object<S>(
    "TcpProbe",
    {
      optional<S>("host", &S::host, text(formats::host), "Name or address."),
      required<S>("port", &S::port, whole<std::uint16_t>(1, 65535), "Success is a connection."),
    });
}

shape<http_probe> http_shape() {
  using S = http_probe;
  return object<S>("HttpProbe",
                   {
                     optional<S>("host", &S::host, text(formats::host), "Name or address."),
                     required<S>("port", &S::port, whole<std::uint16_t>(1, 65535), "Port."),
                     optional<S>("path", &S::path, text(formats::http_path),
                                 "Success is a status from 200 to 399."),
                   });
}

shape<unit_probe> unit_probe_shape() {
  using S = unit_probe;
  return object<S>(
    "UnitProbe",
    {
      optional<S>("unit", &S::unit, text(formats::unit),
                  "Full name of the unit. Left out: the SystemdUnit's own."),
      optional<S>("state", &S::state,
                  named<active_state>(
                    {"active", "reloading", "inactive", "failed", "activating", "deactivating"}),
                  "Success is this ActiveState; one that reloads counts as active too."),
    });
}

/// `successes`: how many may be asked for.
shape<probe> probe_shape(std::string_view title, std::uint32_t successes) {
  using S = probe;
  const auto seconds = [](std::uint32_t low, std::uint32_t high) {
    return whole<std::uint32_t>(low, high);
  };
  return object<S>(
    title,
    {
      alternative<S>("exec", &S::check, exec_shape(),
                     "Runs a program: of a Container inside it, otherwise on the device."),
      alternative<S>("tcp", &S::check, tcp_shape(), "Opens a connection."),
      alternative<S>("http", &S::check, http_shape(), "Sends a GET request."),
      alternative<S>("unit", &S::check, unit_probe_shape(), "Asks systemd for a unit's state."),
      optional<S>("initialDelaySeconds", &S::initial_delay, seconds(0, 86400),
                  "From the start to the first probe."),
      optional<S>("periodSeconds", &S::period, seconds(1, 86400), "From one to the next."),
      optional<S>("timeoutSeconds", &S::timeout, seconds(1, 3600), "For one to answer."),
      optional<S>("successThreshold", &S::success_threshold, whole<std::uint32_t>(1, successes),
                  "Successes in a row that end a failure."),
      optional<S>("failureThreshold", &S::failure_threshold, whole<std::uint32_t>(1, 100),
                  "Failures in a row that end a success."),
    },
    {exactly_one<S>({"exec", "tcp", "http", "unit"})});
}

template <class Spec>
kind_entry entry(std::string_view name, std::string_view doc, const shape<Spec>& form) {
  return {name, doc,
          [form](const json& value, resource_spec& out, const place& where) {
            form.read(value, out.emplace<Spec>(), where);
          },
          [form](const resource_spec& spec) { return form.write(std::get<Spec>(spec)); },
          [form](schema_context& ctx) { return form.schema(ctx); }};
}

} // namespace

const std::vector<kind_entry>& kinds() {
  static const std::vector<kind_entry> table{
    entry("File", "A regular file.", file_shape()),
    entry("Directory", "A folder, not what lies in it.", directory_shape()),
    entry("SystemdUnit", "A unit of the service manager.", unit_shape()),
    entry("Container", "A container.", container_shape()),
    entry("ShellJob", "A command that runs once a revision, in a sandbox.", shell_job_shape()),
    entry("Package", "A package of the distribution.", package_shape()),
    entry("User", "An account and its groups.", user_shape()),
    entry("Network", "A link, its addresses and routes.", network_shape()),
    entry("PostgresCluster", "This device's member of a PostgreSQL failover cluster.",
          postgres_cluster_shape()),
  };
  static_assert(std::variant_size_v<resource_spec> == 9, "each alternative has its entry above");
  return table;
}

const kind_entry* find_kind(std::string_view name) {
  for (const auto& each : kinds())
    if (each.name == name)
      return &each;
  return nullptr;
}

const shape<probe_set>& probe_set_shape() {
  using S = probe_set;
  // Any success is enough to have started, and a restart forgets the successes before it.
  static const auto once = probe_shape("Probe", 1);
  static const auto form = object<S>(
    "Probes", {
                maybe<S>("startup", &S::startup, once, "Until it succeeds, the other two wait."),
                maybe<S>("readiness", &S::readiness, probe_shape("ReadinessProbe", 100),
                         "Whether the resource counts as ready."),
                maybe<S>("liveness", &S::liveness, once, "Its failure restarts the resource."),
              });
  return form;
}

} // namespace harmony::detail

namespace harmony {

std::string_view kind_of(const resource_spec& spec) noexcept {
  constexpr std::string_view names[] = {"File",      "Directory", "SystemdUnit",
                                        "Container", "ShellJob",  "Package",
                                        "User",      "Network",   "PostgresCluster"};
  static_assert(std::variant_size_v<resource_spec> == std::size(names));
  return names[spec.index()];
}

} // namespace harmony

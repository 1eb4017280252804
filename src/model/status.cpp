// AgentStatus and heartbeat: their tables, and the functions of status.hpp.

#include "model/status.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>

#include "model/detail/shapes.hpp"

namespace harmony {

namespace detail {

namespace {

// In the order of the enumerations.
constexpr std::array<std::string_view, 11> resource_phases{
  "Pending", "Blocked", "Observing", "Applying", "Probing", "Ready",
  "Drifted", "Failed",  "Removing",  "Removed",  "Rejected"};
constexpr std::array<std::string_view, 5> agent_phases{"Starting", "Converging", "Converged",
                                                       "Degraded", "Rejected"};

template <class E, class Names>
shape<E> named_by(const Names& names) {
  return named<E>({names.begin(), names.end()});
}

constexpr std::uint32_t max_count = 0xFFFFFFFFU;

shape<std::uint32_t> counter() {
  return whole<std::uint32_t>(0, max_count);
}

shape<file_state> file_state_shape() {
  using S = file_state;
  return object<S>("FileState",
                   {
                     optional<S>("presentAt", &S::present_at, text(formats::text),
                                 "Hash of its content; \"secret\" or \"private\" where that "
                                 "would tell too much. Left out: absent."),
                     optional<S>("mode", &S::mode, text(formats::text), "Permissions."),
                   });
}

shape<directory_state> directory_state_shape() {
  using S = directory_state;
  return object<S>("DirectoryState",
                   {
                     optional<S>("present", &S::present, boolean(), "Whether it is there."),
                     optional<S>("mode", &S::mode, text(formats::text), "Permissions."),
                   });
}

shape<unit_status> unit_state_shape() {
  using S = unit_status;
  return object<S>(
    "UnitState",
    {
      optional<S>("active", &S::active, text(formats::text), "ActiveState of systemd."),
      optional<S>("sub", &S::sub, text(formats::text), "SubState of systemd."),
      optional<S>("restarts", &S::restarts, counter(), "Restarts."),
      optional<S>("enabled", &S::enabled, text(formats::text), "UnitFileState of systemd."),
    });
}

shape<container_state> container_state_shape() {
  using S = container_state;
  using R = container_running;
  using T = container_terminated;
  using W = container_waiting;
  const auto running = object<R>(
    "ContainerRunning", {
                          optional<R>("since", &R::since, text(formats::text), "When it started."),
                          optional<R>("restarts", &R::restarts, counter(), "Restarts."),
                        });
  using exit = std::numeric_limits<std::int32_t>;
  const auto exit_code = whole<std::int32_t>(exit::min(), exit::max());
  const auto terminated = object<T>(
    "ContainerTerminated",
    {
      optional<T>("exitCode", &T::exit_code, exit_code, "Exit code of its first process."),
      optional<T>("finished", &T::finished, text(formats::text), "When it ended."),
      optional<T>("restarts", &T::restarts, counter(), "Restarts."),
    });
  const auto waiting = object<W>(
    "ContainerWaiting",
    {optional<W>("reason", &W::reason, text(formats::text), R"(E.g. "absent" or "created".)")});
  return object<S>(
    "ContainerState",
    {
      optional<S>("id", &S::id, text(formats::text), "Id in the runtime."),
      optional<S>("image", &S::image, text(formats::text), "Id of the image that it runs."),
      alternative<S>("running", &S::state, running, "It runs."),
      alternative<S>("terminated", &S::state, terminated, "It ended."),
      alternative<S>("waiting", &S::state, waiting, "It was not started."),
    });
}

shape<job_state> job_state_shape() {
  using S = job_state;
  using exit = std::numeric_limits<std::int32_t>;
  return object<S>(
    "JobState",
    {
      optional<S>("skipped", &S::skipped, text(formats::text),
                  R"(The guard that made a run needless: "unless" or "creates".)"),
      maybe<S>("exitCode", &S::exit_code, whole<std::int32_t>(exit::min(), exit::max()),
               "Of the last run."),
      optional<S>("signal", &S::signal, text(formats::text), R"(That ended it, e.g. "KILL".)"),
      optional<S>("started", &S::started, text(formats::text), "When the last run began."),
      optional<S>("finished", &S::finished, text(formats::text), "When it ended."),
      optional<S>("stdout", &S::standard_output, text(formats::text), "The end of its output."),
      optional<S>("stderr", &S::standard_error, text(formats::text),
                  "The end of its error output."),
    });
}

shape<package_status> package_state_shape() {
  using S = package_status;
  return object<S>("PackageState", {optional<S>("version", &S::version, text(formats::text),
                                                "The installed one. Left out: none.")});
}

shape<user_state> user_state_shape() {
  using S = user_state;
  return object<S>(
    "UserState",
    {
      optional<S>("present", &S::present, boolean(), "Whether it is there."),
      optional<S>("uid", &S::uid, counter(), "Its number."),
      optional<S>("groups", &S::groups, list_of(text(formats::text)), "Supplementary groups."),
    });
}

shape<network_status> network_state_shape() {
  using S = network_status;
  return object<S>(
    "NetworkState",
    {
      optional<S>("present", &S::present, boolean(), "Whether the link is there."),
      optional<S>("up", &S::up, boolean(), "Whether it is up."),
      optional<S>("carrier", &S::carrier, boolean(), "Whether it has a peer."),
      optional<S>("mtu", &S::mtu, counter(), "Largest packet."),
      optional<S>("addresses", &S::addresses, list_of(text(formats::text)), "Its addresses."),
    });
}

shape<cluster_state> cluster_state_shape() {
  using S = cluster_state;
  return object<S>(
    "PostgresClusterState",
    {
      optional<S>("role", &S::role, text(formats::text),
                  "primary, standby, stopped or rejoining. Left out: it does not run."),
      optional<S>("guard", &S::guard, text(formats::text), "systemd's ActiveState of its guard."),
      optional<S>("detail", &S::detail, text(formats::text), "For people."),
    });
}

shape<resource_state> state_shape() {
  using S = resource_state;
  return object<S>(
    "ResourceState",
    {
      alternative<S>("file", self, file_state_shape(), "Of a File."),
      alternative<S>("directory", self, directory_state_shape(), "Of a Directory."),
      alternative<S>("unit", self, unit_state_shape(), "Of a SystemdUnit."),
      alternative<S>("container", self, container_state_shape(), "Of a Container."),
      alternative<S>("job", self, job_state_shape(), "Of a ShellJob."),
      alternative<S>("package", self, package_state_shape(), "Of a Package."),
      alternative<S>("user", self, user_state_shape(), "Of a User."),
      alternative<S>("network", self, network_state_shape(), "Of a Network."),
      alternative<S>("cluster", self, cluster_state_shape(), "Of a PostgresCluster."),
    });
}

shape<resource_hold> hold_shape() {
  using S = resource_hold;
  return object<S>("ResourceHold",
                   {
                     required<S>("until", &S::until, time_stamp(), "When it ends by itself."),
                     optional<S>("reason", &S::reason, text(formats::text), "For people."),
                   });
}

shape<resource_status> resource_status_shape() {
  using S = resource_status;
  return object<S>(
    "ResourceStatus",
    {
      required<S>("phase", &S::phase, named_by<resource_phase>(resource_phases),
                  "Where it stands in its lifecycle."),
      optional<S>("revision", &S::revision, text(formats::text), "Desired revision."),
      optional<S>("appliedRevision", &S::applied_revision, text(formats::text),
                  "Last revision that was seen to be in place."),
      optional<S>("reason", &S::reason, text(formats::text), "For programs; docs/reasons.md."),
      optional<S>("message", &S::message, text(formats::text), "For people."),
      maybe<S>("nextRetry", &S::next_retry, time_stamp(), "When it is tried again."),
      optional<S>("attempts", &S::attempts, counter(), "Applies since the desire changed."),
      optional<S>("restarts", &S::restarts, counter(), "Repairs of what was in place."),
      maybe<S>("lastTransitionTime", &S::last_transition, time_stamp(),
               "When the phase or the reason changed."),
      optional<S>("origin", &S::origin, text(formats::text),
                  "The class, rollout or person that it came from."),
      maybe<S>("hold", &S::hold, hold_shape(), "Nothing is changed: an operator holds it."),
      optional<S>("state", &S::state, state_shape(), "As observed."),
    });
}

shape<condition> condition_shape() {
  using S = condition;
  return object<S>(
    "Condition",
    {
      required<S>("type", &S::type, text(formats::program), "What is said, e.g. \"Ready\"."),
      required<S>("status", &S::status, named<condition_state>({"True", "False", "Unknown"}),
                  "Whether it is so."),
      optional<S>("reason", &S::reason, text(formats::text), "For programs; docs/reasons.md."),
      optional<S>("message", &S::message, text(formats::text), "For people."),
      required<S>("lastTransitionTime", &S::last_transition, time_stamp(),
                  "When the status changed."),
      optional<S>("observedGeneration", &S::observed_generation,
                  whole<generation_number>(0, max_whole),
                  "Generation of the manifest that it speaks of. Left out: of none."),
    });
}

/// An object whose keys are resource ids.
shape<std::map<resource_id, resource_status>> by_id(const shape<resource_status>& form) {
  using map = std::map<resource_id, resource_status>;
  return {
    "an object",
    [=](const json& value, map& out, const place& where) {
      if (!value.is_object())
        return mismatch(where, "an object", value);
      for (const auto& member : value.items()) {
        resource_id id;
        if (parse_resource_id(member.key(), id))
          form.read(member.value(), out[id], where.at(member.key()));
        else
          where.at(member.key()).fail("expected as its name " + std::string{formats::id.expected});
      }
    },
    [=](const map& all) {
      auto result = json::object();
      for (const auto& each : all)
        result[each.first.str()] = form.write(each.second);
      return result;
    },
    [=](schema_context& ctx) {
      return json{{"type", "object"},
                  {"propertyNames", {{"pattern", formats::id.pattern}}},
                  {"additionalProperties", form.schema(ctx)}};
    },
  };
}

const shape<heartbeat>& heartbeat_shape() {
  using S = heartbeat;
  static const auto form =
    object<S>("", {
                    required<S>("b", &S::boot_id, text(formats::boot_id), "Boot id."),
                    required<S>("s", &S::sequence, whole<std::uint64_t>(0, max_whole), "Sequence."),
                    required<S>("g", &S::observed_generation,
                                whole<generation_number>(0, max_whole), "Observed generation."),
                    required<S>("p", &S::phase, agent_phase_shape(), "Phase."),
                  });
  return form;
}

} // namespace

shape<agent_phase> agent_phase_shape() {
  return named_by<agent_phase>(agent_phases);
}

const shape<agent_status>& status_shape() {
  using S = agent_status;
  static const auto form = object<S>(
    "",
    {
      constant<S>("apiVersion", "harmony/v1", "Version of the format."),
      constant<S>("kind", "AgentStatus", "What this document is."),
      required<S>("agent", &S::agent, text(formats::name), "The device that it is of."),
      required<S>("bootId", &S::boot_id, text(formats::boot_id), "The run of the agent."),
      required<S>("sequence", &S::sequence, whole<std::uint64_t>(0, max_whole),
                  "Counts the writes of this run."),
      required<S>("observedGeneration", &S::observed_generation,
                  whole<generation_number>(0, max_whole),
                  "Generation of the manifest that it speaks of; 0: none."),
      required<S>("phase", &S::phase, agent_phase_shape(), "Where the device stands as a whole."),
      required<S>("conditions", &S::conditions, list_of(condition_shape()),
                  "What else is to be said of the device."),
      required<S>("resources", &S::resources, by_id(resource_status_shape()),
                  "Where each resource stands."),
      optional<S>("contender", &S::contender, text(formats::boot_id),
                  "The run of another agent that goes by the same id. Left out: none."),
    });
  return form;
}

} // namespace detail

std::string_view name_of(resource_phase p) noexcept {
  return detail::resource_phases[static_cast<std::size_t>(p)];
}

std::string_view name_of(agent_phase p) noexcept {
  return detail::agent_phases[static_cast<std::size_t>(p)];
}

outcome<agent_status> read_status(std::string_view json) {
  constexpr std::size_t limit = 8 * max_document_bytes; // messages add to what a manifest holds
  return detail::read_as("status", json, detail::status_shape(), {.bytes = limit}, false);
}

std::string write_status(const agent_status& s) {
  return detail::to_text(detail::status_shape().write(s));
}

outcome<heartbeat> read_heartbeat(std::string_view json) {
  return detail::read_as("heartbeat", json, detail::heartbeat_shape(), {.bytes = 1024}, false);
}

std::string write_heartbeat(const heartbeat& h) {
  auto bounded = h; // whatever the caller put in: escapes would make it longer
  std::erase_if(bounded.boot_id,
                [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) == 0; });
  bounded.boot_id.resize(std::min<std::size_t>(bounded.boot_id.size(), 16));
  return detail::to_text(detail::heartbeat_shape().write(bounded));
}

} // namespace harmony

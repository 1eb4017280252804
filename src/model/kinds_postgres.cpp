// The table of the kind PostgresCluster.

#include <algorithm>

#include "model/detail/dictionary.hpp"
#include "model/detail/shapes.hpp"
#include "model/postgres_parameters.hpp"

namespace harmony::detail {

namespace {

using spec_type = postgres_cluster_spec;

constexpr std::int64_t longest = 3600000;

shape<postgres_member> member_shape() {
  using S = postgres_member;
  return object<S>(
    "PostgresMember",
    {
      required<S>("name", &S::name, text(formats::member), "Also its replication slot's name."),
      required<S>("host", &S::host, text(formats::host),
                  "Where the others reach its PostgreSQL: name or address."),
      optional<S>("port", &S::port, whole<std::uint16_t>(1, 65535), "Of its PostgreSQL."),
    });
}

shape<postgres_timings> timings_shape() {
  using S = postgres_timings;
  const auto period = whole<std::uint32_t>(1, longest);
  return object<S>(
    "PostgresTimings",
    {
      optional<S>("leaseMilliseconds", &S::lease, period, "What a renewal is worth."),
      optional<S>("killMilliseconds", &S::kill, period, "The slowest kill of PostgreSQL's tree."),
      optional<S>("stopMilliseconds", &S::stop, period, "For an orderly stop before that."),
      optional<S>("windowMilliseconds", &S::window, period,
                  "How long a lease must be silent before others act."),
      optional<S>("renewMilliseconds", &S::renew, period, "From one renewal to the next."),
      optional<S>("requestMilliseconds", &S::request, period,
                  "After which a request to the store is given up."),
    });
}

shape<postgres_endpoint> endpoint_shape() {
  using S = postgres_endpoint;
  return object<S>("PostgresEndpoint",
                   {
                     optional<S>("address", &S::address, text(formats::ip_address),
                                 "Of the device; 0.0.0.0 or ::, all."),
                     required<S>("port", &S::port, whole<std::uint16_t>(1, 65535), "Port."),
                   });
}

/// `replication`, whose fields the spec has itself.
field<spec_type> replication_field() {
  using S = spec_type;
  const auto form = object<S>(
    "PostgresReplication",
    {
      optional<S>("user", &S::replication_user, text(formats::role),
                  "Role that standbys connect as; it is made where it is not there."),
      maybe<S>("secretRef", &S::replication_password, secret_shape(),
               "Its password, a secret of the device. Left out: none is sent, and `hba` lets "
               "standbys in."),
    });
  auto made = required<S>("replication", self, form, "How standbys connect to the primary.");
  made.required = false;
  made.write = [form](const S& s) -> std::optional<json> {
    auto value = form.write(s);
    return value.empty() ? std::nullopt : std::optional{std::move(value)};
  };
  return made;
}

// -- rules -----------------------------------------------------------------------------------

/// What two members must not share, and who of them this device is.
rule<spec_type> members_fit() {
  return {[](const json&, const spec_type& s, const place& where) {
            const auto list = where.at("members");
            bool found = s.member.empty() || s.members.empty();
            for (std::size_t i = 0; i < s.members.size(); ++i) {
              const auto& one = s.members[i];
              found = found || one.name == s.member;
              for (std::size_t k = 0; k < i; ++k) {
                const auto& other = s.members[k];
                const auto too = " of members[" + std::to_string(k) + "] too";
                if (!one.name.empty() && one.name == other.name)
                  list.at(i).at("name").fail(shown(one.name) + " is the name" + too);
                else if (!one.host.empty() && one.host == other.host && one.port == other.port)
                  list.at(i).at("port").fail(std::to_string(one.port) + " at " + shown(one.host)
                                             + " is the place" + too);
              }
            }
            if (!found)
              where.at("member").fail(shown(s.member)
                                      + " is not among 'members'; list it there with its host");
          },
          {}};
}

rule<spec_type> enough_standbys() {
  return {[](const json&, const spec_type& s, const place& where) {
            if (s.mode == postgres_mode::async || s.members.empty())
              return;
            if (const auto standbys = s.members.size() - 1; s.sync_count > standbys)
              where.at("syncCount")
                .fail(std::to_string(s.sync_count) + " standbys are to acknowledge each commit, of "
                      + std::to_string(standbys)
                      + "; give a smaller number, more members, or mode: async");
          },
          {}};
}

/// Both listen on this device.
rule<spec_type> endpoint_beside_postgres() {
  return {[](const json&, const spec_type& s, const place& where) {
            for (const auto& one : s.members)
              if (one.name == s.member && one.port == s.endpoint.port)
                where.at("endpoint")
                  .at("port")
                  .fail(std::to_string(one.port)
                        + " is this member's PostgreSQL's port too; choose another one");
          },
          {}};
}

rule<spec_type> own_parameters() {
  const auto pattern = "^" + std::string{reserved_prefix};
  const json free{{"not", {{"anyOf", {{{"enum", reserved_parameters}}, {{"pattern", pattern}}}}}}};
  const json safe{{"synchronous_commit", {{"enum", safe_commits}}}};
  return {[](const json&, const spec_type& s, const place& where) {
            for (const auto& [name, value] : s.parameters)
              if (const auto why = refusal_of_parameter(name, value); !why.empty())
                where.at("parameters").at(name).fail(why);
          },
          json::array(
            {{{"properties", {{"parameters", {{"propertyNames", free}, {"properties", safe}}}}}}})};
}

/// Standbys get in by a password, or by what the user says himself.
rule<spec_type> standbys_get_in() {
  return {[](const json&, const spec_type& s, const place& where) {
            if (s.members.size() < 2 || s.replication_password
                || std::any_of(s.hba.begin(), s.hba.end(), lets_standbys_in))
              return;
            where.at("replication")
              .at("secretRef")
              .fail("is missing, so that no standby can connect; give the password of role "
                    + shown(s.replication_user)
                    + ", or let it in by a line of 'hba' such as \"hostssl replication "
                    + s.replication_user + " 10.0.0.0/8 cert\"");
          },
          {}};
}

/// PostgreSQL does not run as root.
rule<spec_type> unprivileged_owner() {
  return {[](const json&, const spec_type& s, const place& where) {
            if (s.owner == "root")
              where.at("owner").fail("PostgreSQL does not run as root; name another account");
          },
          json::array({{{"properties", {{"owner", {{"not", {{"const", "root"}}}}}}}}})};
}

} // namespace

shape<postgres_cluster_spec> postgres_cluster_shape() {
  using S = spec_type;
  return object<S>(
    "PostgresCluster",
    {
      required<S>("cluster", &S::cluster, text(formats::name), "The same in all its members."),
      required<S>("member", &S::member, text(formats::member),
                  "The name of this device's one; it is among `members`."),
      required<S>("members", &S::members, list_of(member_shape(), 1),
                  "All of them, the same in all their manifests."),
      required<S>("dataDir", &S::data_dir, text(formats::plain_path),
                  "PostgreSQL's data directory."),
      optional<S>("version", &S::version, text(formats::pg_version),
                  "Major version. Left out: that of the data, or the newest installed."),
      optional<S>("owner", &S::owner, text(formats::account_name),
                  "Account that PostgreSQL runs as."),
      optional<S>("socketDir", &S::socket_dir, text(formats::plain_path),
                  "Folder of PostgreSQL's Unix socket."),
      optional<S>("mode", &S::mode, named<postgres_mode>({"async", "strict", "quorum"}),
                  "What a commit waits for: nobody, each of `syncCount` standbys, or any that "
                  "many."),
      optional<S>("syncCount", &S::sync_count, whole<std::uint32_t>(1, 64),
                  "Standbys that acknowledge a commit; in modes strict and quorum."),
      optional<S>("profile", &S::profile, named<postgres_profile>({"fast", "normal"}),
                  "Periods for one store server (fast) or three (normal)."),
      optional<S>("timings", &S::timings, timings_shape(),
                  "Periods in place of the profile's; the same in all members."),
      optional<S>("maxLag", &S::max_lag, memory_size(),
                  "What a standby may lack of the log and still take over; in mode async."),
      optional<S>("priority", &S::priority, whole<std::uint32_t>(0, 1000),
                  "Higher takes over first; 0: never by itself."),
      optional<S>("bootstrap", &S::bootstrap, boolean(),
                  "Makes the cluster where there is none; of exactly one member."),
      optional<S>("rejoin", &S::rewind, named<bool>({"clone", "rewind"}),
                  "How a member comes back whose data went astray."),
      optional<S>("restartSeconds", &S::restart, whole<std::uint32_t>(0, 3600),
                  "In which a dead primary may come back in place; 0: another takes over at once."),
      replication_field(),
      optional<S>("parameters", &S::parameters, dictionary(formats::pg_parameter, formats::line),
                  "Settings of PostgreSQL."),
      optional<S>("hba", &S::hba, list_of(text(formats::filled_line)), "Lines of pg_hba.conf."),
      optional<S>("endpoint", &S::endpoint, endpoint_shape(),
                  "Where health is asked for over HTTP. Left out: nowhere."),
    },
    {members_fit(), enough_standbys(), endpoint_beside_postgres(), own_parameters(),
     standbys_get_in(), unprivileged_owner()});
}

} // namespace harmony::detail

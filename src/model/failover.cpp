// What stands in the store of a PostgreSQL cluster: the tables of its documents.

#include "model/failover.hpp"

#include <algorithm>
#include <charconv>

#include "model/detail/shapes.hpp"

namespace harmony::failover {

namespace {

using detail::json;
using detail::list_of;
using detail::maybe;
using detail::named;
using detail::object;
using detail::optional;
using detail::place;
using detail::required;
using detail::shape;
using detail::text;
using detail::whole;

static_assert(last_number == detail::max_whole);
constexpr detail::json_limits limits{.bytes = std::size_t{16} * 1024, .depth = 8};

/// All of `digits` as a number, without sign, blanks or leading zeros.
std::optional<std::uint64_t> number_of(std::string_view digits, int base, std::size_t most) {
  if (digits.empty() || digits.size() > most || (digits.size() > 1 && digits.front() == '0'))
    return {};
  std::uint64_t number = 0;
  const auto* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number, base);
  if (error != std::errc{} || stop != end)
    return {};
  return number;
}

/// A value that stands as a text: numbers of 64 bits do not survive every reader of JSON.
template <class Read, class Write>
shape<std::uint64_t> as_text(std::string expected, std::string pattern, Read read, Write write) {
  return {
    expected,
    [=](const json& value, std::uint64_t& out, const place& where) {
      const auto number =
        value.is_string() ? read(value.get_ref<const std::string&>()) : std::nullopt;
      if (!number)
        return detail::mismatch(where, expected, value);
      out = *number;
    },
    [=](const std::uint64_t& value) { return json(write(value)); },
    [=](detail::schema_context&) {
      return json{{"type", "string"}, {"pattern", pattern}};
    },
  };
}

shape<std::uint64_t> position() {
  return as_text("a position in the log like \"16/B374D848\"", "^[0-9A-F]{1,8}/[0-9A-F]{1,8}$",
                 read_lsn, write_lsn);
}

shape<std::uint64_t> system_id() {
  return as_text(
    "PostgreSQL's system identifier, a whole number as text", "^(0|[1-9][0-9]{0,19})$",
    [](std::string_view t) { return number_of(t, 10, 20); },
    [](std::uint64_t value) { return std::to_string(value); });
}

shape<std::uint64_t> count(std::int64_t low = 0) {
  return whole<std::uint64_t>(low, detail::max_whole);
}

shape<std::uint32_t> word(std::int64_t low = 0) {
  return whole<std::uint32_t>(low, last_timeline);
}

shape<std::string> node() {
  return text(detail::formats::member);
}

shape<std::string> note() {
  return text(detail::formats::short_text);
}

shape<sync_set> sync_shape() {
  using S = sync_set;
  return object<S>(
    "SyncSet",
    {
      required<S>("k", &S::k, word(), "How many acknowledge a commit; 0: nobody."),
      required<S>("members", &S::members, list_of(node()), "Of whom; sorted."),
    },
    {{[](const json&, const S& s, const place& where) {
        if (std::adjacent_find(s.members.begin(), s.members.end(), std::greater_equal<>{})
            != s.members.end())
          where.at("members").fail("expected names in order, each once");
      },
      json::array()}});
}

const shape<lease_record>& record_shape() {
  using S = lease_record;
  static const auto form = object<S>(
    "LeaseRecord",
    {
      required<S>("epoch", &S::epoch, count(1), "Of the claim; the fencing token."),
      required<S>("holder", &S::holder, node(), "Who may write."),
      required<S>("incarnation", &S::incarnation, note(), "Which run of it."),
      required<S>("nonce", &S::nonce, count(1), "Counts the writes of the claim."),
      required<S>("state", &S::state, named<lease_state>({"promoting", "held", "released"}),
                  "Where it is."),
      optional<S>("paused", &S::paused, detail::boolean(), "Whether nobody is to take over."),
      required<S>("leaseMs", &S::lease_ms, count(1), "How long a renewal is worth."),
      required<S>("systemId", &S::system_id, system_id(), "Of the cluster's data."),
      required<S>("primary", &S::primary, node(), "Whose these data are."),
      required<S>("timeline", &S::timeline, word(1), "Of the primary."),
      optional<S>("maker", &S::maker, note(), "The claim that began it."),
      optional<S>("parent", &S::parent, word(), "The timeline that it left."),
      optional<S>("parentMaker", &S::parent_maker, note(), "The claim that began that."),
      optional<S>("switchLsn", &S::switch_lsn, position(), "Where it left it."),
      required<S>("flushLsn", &S::flush_lsn, position(), "How far the primary had flushed."),
      required<S>("sync", &S::sync, sync_shape(), "Whose acknowledgement a commit waits for."),
      required<S>("reserved", &S::reserved, word(1), "The highest timeline that was claimed."),
      optional<S>("successor", &S::successor, node(), "Who is to take over."),
    },
    {{[](const json&, const S& s, const place& where) {
        if (s.parent != 0 && s.parent >= s.timeline)
          where.at("parent").fail("expected less than 'timeline'");
        if (s.reserved < s.timeline)
          where.at("reserved").fail("expected at least 'timeline'");
      },
      json::array()}});
  return form;
}

shape<frozen_report> frozen_shape() {
  using S = frozen_report;
  return object<S>("FrozenReport", {
                                     required<S>("epoch", &S::epoch, count(1), "Of the election."),
                                     required<S>("timeline", &S::timeline, word(1), "Its own."),
                                     required<S>("at", &S::at, position(), "What it received."),
                                   });
}

const shape<member_heartbeat>& beat_shape() {
  using S = member_heartbeat;
  static const auto form = object<S>(
    "MemberHeartbeat",
    {
      required<S>("node", &S::node, node(), "Whose it is."),
      required<S>("incarnation", &S::incarnation, note(), "Which run of it."),
      required<S>("beat", &S::beat, count(1), "Counts them."),
      required<S>("role", &S::role,
                  named<member_role>({"stopped", "standby", "primary", "rejoining"}),
                  "What PostgreSQL is."),
      required<S>("epoch", &S::epoch, count(), "The highest that it knows of."),
      required<S>("systemId", &S::system_id, system_id(), "Of its data."),
      required<S>("timeline", &S::timeline, word(), "Of its data."),
      required<S>("checkpointTimeline", &S::checkpoint_timeline, word(), "Of its control file."),
      required<S>("received", &S::received, position(), "How far its log goes."),
      required<S>("replayed", &S::replayed, position(), "How far it is replayed."),
      required<S>("electable", &S::electable, detail::boolean(), "Whether it would take over."),
      required<S>("priority", &S::priority, word(), "0: never."),
      maybe<S>("frozen", &S::frozen, frozen_shape(), "Its report of an election."),
      maybe<S>("newest", &S::newest, record_shape(), "The newest record that it knows."),
    });
  return form;
}

const shape<history_entry>& history_shape() {
  using S = history_entry;
  static const auto form =
    object<S>("HistoryEntry",
              {
                required<S>("epoch", &S::epoch, count(1), "Which one began."),
                required<S>("holder", &S::holder, node(), "Who took over."),
                optional<S>("predecessor", &S::predecessor, node(), "From whom."),
                required<S>("reason", &S::reason, note(), "Why."),
                required<S>("timeline", &S::timeline, word(1), "That began."),
                optional<S>("parent", &S::parent, word(), "That it left."),
                optional<S>("switchLsn", &S::switch_lsn, position(), "Where."),
                optional<S>("lostAtMost", &S::lost_at_most, count(),
                            "Bytes of log that the predecessor told of and that are missing."),
              });
  return form;
}

const shape<cluster_command>& command_shape() {
  using S = cluster_command;
  static const auto form = object<S>(
    "ClusterCommand",
    {
      required<S>("id", &S::id, note(), "Its key's."),
      required<S>("kind", &S::kind,
                  named<command_kind>({"switchover", "failover", "pause", "resume", "reinit"}),
                  "What is asked for."),
      optional<S>("to", &S::to, node(), "Of whom; left out: of the best."),
      optional<S>("allowDataLoss", &S::allow_data_loss, detail::boolean(),
                  "Whether acknowledged commits may be lost."),
      required<S>("by", &S::by, note(), "Who asks."),
    });
  return form;
}

} // namespace

std::string write_lsn(lsn at) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  const auto hex = [&](std::uint64_t half) {
    std::string out;
    do
      out.insert(out.begin(), digits[half % 16]);
    while ((half /= 16) != 0);
    return out;
  };
  return hex(at >> 32U) + "/" + hex(at & 0xFFFFFFFFU);
}

std::optional<lsn> read_lsn(std::string_view t) {
  const auto slash = t.find('/');
  if (slash == std::string_view::npos)
    return {};
  const auto high = number_of(t.substr(0, slash), 16, 8);
  const auto low = number_of(t.substr(slash + 1), 16, 8);
  if (!high || !low)
    return {};
  return *high << 32U | *low;
}

outcome<lease_record> read_lease_record(std::string_view json) {
  return detail::read_as("lease record", json, record_shape(), limits, true);
}

std::string write(const lease_record& r) {
  return detail::to_text(record_shape().write(r));
}

outcome<member_heartbeat> read_member_heartbeat(std::string_view json) {
  return detail::read_as("member's heartbeat", json, beat_shape(), limits, true);
}

std::string write(const member_heartbeat& b) {
  return detail::to_text(beat_shape().write(b));
}

outcome<history_entry> read_history_entry(std::string_view json) {
  return detail::read_as("entry of the history", json, history_shape(), limits, true);
}

std::string write(const history_entry& h) {
  return detail::to_text(history_shape().write(h));
}

outcome<cluster_command> read_cluster_command(std::string_view json) {
  return detail::read_as("command", json, command_shape(), limits, true);
}

std::string write(const cluster_command& c) {
  return detail::to_text(command_shape().write(c));
}

} // namespace harmony::failover

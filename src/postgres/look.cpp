#include "postgres/look.hpp"

#include <algorithm>
#include <charconv>

#include "postgres/conninfo.hpp"
#include "postgres/sync_names.hpp"

namespace harmony::postgres {

const char* const look_sql =
  "SELECT pg_is_in_recovery(),"
  " (SELECT timeline_id FROM pg_control_checkpoint()),"
  " CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_current_wal_flush_lsn() END,"
  " pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn(),"
  " (SELECT status FROM pg_stat_wal_receiver),"
  " (SELECT received_tli FROM pg_stat_wal_receiver),"
  " (SELECT wait_event FROM pg_stat_activity WHERE backend_type = 'startup'),"
  " current_setting('primary_conninfo'), current_setting('synchronous_standby_names'),"
  " (SELECT string_agg(application_name || ' ' || flush_lsn, ',') FROM pg_stat_replication"
  "  WHERE state = 'streaming' AND flush_lsn IS NOT NULL AND application_name !~ '[ ,]'),"
  " (SELECT string_agg(CASE wal_status WHEN 'lost' THEN '!' ELSE '' END || slot_name, ',')"
  "  FROM pg_replication_slots WHERE slot_type = 'physical' AND slot_name ~ '^harmony_'),"
  " (SELECT string_agg(name, ',') FROM pg_settings WHERE pending_restart)";

namespace {

enum column {
  in_recovery,
  checkpoint_timeline,
  flushed,
  received,
  replayed,
  receiver_status,
  receiver_timeline,
  startup_waits,
  upstream,
  names,
  standbys,
  slots,
  restart,
  columns
};

template <class Number>
Number number_of(const std::string& text) {
  Number n{};
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

std::optional<failover::lsn> position(const std::optional<std::string>& text) {
  return text ? failover::read_lsn(*text) : std::nullopt;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> all;
  for (std::size_t from = 0; from < text.size();) {
    const auto end = std::min(text.find(',', from), text.size());
    all.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  return all;
}

std::vector<failover::attached> read_standbys(const std::string& text) {
  std::vector<failover::attached> all;
  for (const auto& each : split(text)) {
    const auto space = each.find(' ');
    const auto at =
      space == std::string::npos ? std::nullopt : failover::read_lsn(each.substr(space + 1));
    if (at)
      all.push_back({each.substr(0, space), *at});
  }
  return all;
}

/// A walreceiver is asked for only once all that is here was replayed, and so is other log. A
/// replay that is paused waits for something else.
bool is_whole(const answers& a) {
  return a.received || a.startup_waits == "RecoveryRetrieveRetryInterval"
         || a.startup_waits == "RecoveryWalStream";
}

void tell_received(failover::postgres& to, const answers& a) {
  to.replayed = a.replayed.value_or(0);
  to.received = std::max(a.received.value_or(0), to.replayed);
  to.whole = is_whole(a);
}

/// The members that stream, each once: an old connection may linger beside the new one, and which
/// is which is not told, so that the lower end of the two is what is sure.
std::vector<failover::attached> members_among(const std::vector<failover::attached>& all,
                                              const failover::member_settings& s) {
  std::vector<failover::attached> out;
  for (const auto& each : all) {
    if (each.node == s.node || find_member(s, each.node) == nullptr)
      continue;
    const auto same = std::find_if(out.begin(), out.end(),
                                   [&](const auto& other) { return other.node == each.node; });
    if (same == out.end())
      out.push_back(each);
    else
      same->flushed = std::min(same->flushed, each.flushed);
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.node < b.node; });
  return out;
}

} // namespace

outcome<answers> read_answers(const rows& look, const rows& identified) {
  if (look.size() != 1 || look.front().size() != columns || identified.size() != 1
      || identified.front().size() < 2)
    return {ec::internal,
            "PostgreSQL's answer to a look is of another shape: which version is it?"};
  const auto& r = look.front();
  const auto text = [&](column c) { return r[c].value_or(""); };
  answers a;
  a.in_recovery = text(in_recovery) == "t";
  a.system_id = number_of<std::uint64_t>(identified.front()[0].value_or(""));
  a.timeline = number_of<std::uint32_t>(identified.front()[1].value_or(""));
  a.checkpoint_timeline = number_of<std::uint32_t>(text(checkpoint_timeline));
  a.flushed = position(r[flushed]);
  a.received = position(r[received]);
  a.replayed = position(r[replayed]);
  a.streams = text(receiver_status) == "streaming";
  a.received_timeline = number_of<std::uint32_t>(text(receiver_timeline));
  a.startup_waits = text(startup_waits);
  a.primary_conninfo = text(upstream);
  a.sync_names = text(names);
  a.standbys = read_standbys(text(standbys));
  a.slots = split(text(slots));
  a.pending_restart = split(text(restart));
  return a;
}

std::uint32_t timeline_of(const answers& a) {
  return a.in_recovery ? std::max(a.timeline, a.received_timeline) : a.timeline;
}

failover::postgres told(const answers& a, std::vector<failover::past_timeline> history,
                        const failover::member_settings& s) {
  failover::postgres is;
  is.running = true;
  is.in_recovery = a.in_recovery;
  is.system_id = a.system_id;
  is.timeline = timeline_of(a);
  is.checkpoint_timeline = a.checkpoint_timeline;
  is.history = std::move(history);
  is.names = read_sync_names(a.sync_names);
  if (a.in_recovery) {
    tell_received(is, a);
    is.receives = a.streams;
    is.upstream = upstream_of(a.primary_conninfo, s.members);
  } else {
    is.flushed = a.flushed.value_or(0);
    is.replayed = is.flushed;
    is.received = is.flushed;
    is.standbys = members_among(a.standbys, s);
  }
  return is;
}

failover::postgres told(const control& c, failover::lsn end,
                        std::vector<failover::past_timeline> history) {
  failover::postgres is;
  is.in_recovery = false;
  is.system_id = c.system_id;
  is.timeline = c.timeline();
  is.checkpoint_timeline = c.checkpoint_timeline;
  is.history = std::move(history);
  is.flushed = std::max({end, c.checkpoint, c.recovered});
  is.received = is.flushed;
  is.replayed = is.flushed;
  return is;
}

} // namespace harmony::postgres

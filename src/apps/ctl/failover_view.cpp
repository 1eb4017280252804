#include "apps/ctl/failover_view.hpp"

#include <algorithm>

namespace harmony::ctl {

namespace {

using namespace failover;

/// A heartbeat older than this comes from nobody that is there: six of the longest renew period.
constexpr std::chrono::seconds silent_after{6};

std::string word_of(lease_state s) {
  switch (s) {
  case lease_state::promoting: return "promoting";
  case lease_state::held: return "held";
  case lease_state::released: return "released";
  }
  return {};
}

/// "held", "held, failover is paused".
std::string state_text(const lease_record& r) {
  return word_of(r.state) + (r.paused ? ", failover is paused" : "");
}

std::string word_of(member_role r) {
  switch (r) {
  case member_role::stopped: return "stopped";
  case member_role::standby: return "standby";
  case member_role::primary: return "primary";
  case member_role::rejoining: return "rejoining";
  }
  return {};
}

tone tone_of(lease_state s) {
  return s == lease_state::held ? tone::good : tone::busy;
}

std::string written_text(wall_time then) {
  return format_time(std::chrono::floor<milliseconds>(then));
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& each : names)
    text += (text.empty() ? "" : ", ") + each;
  return text;
}

std::string sync_text(const sync_set& s) {
  if (s.k == 0)
    return "nobody: asynchronous";
  if (s.members.empty())
    return "everybody waits: no standby has everything yet";
  return "any " + std::to_string(s.k) + " of " + joined(s.members);
}

/// How far the primary has written, as far as it has said so.
std::optional<lsn> end_of_primary(const cluster_view& c) {
  std::optional<lsn> end;
  if (c.lease)
    end = c.lease->record.flush_lsn;
  for (const auto& m : c.members)
    if (m.beat && m.beat->role == member_role::primary && c.lease
        && m.node == c.lease->record.holder)
      end = std::max(*end, m.beat->received);
  return end;
}

cell lag_of(const member_heartbeat& b, const std::optional<lsn>& end) {
  if (!end || b.role == member_role::primary)
    return cell::of("", json(nullptr));
  const auto behind = *end > b.received ? *end - b.received : 0;
  return cell::of(std::to_string(behind), json(behind), behind == 0 ? tone::good : tone::plain);
}

std::vector<cell> row_of(const seen_member& m, const cluster_view& c, wall_time now) {
  const bool silent = now - m.written > silent_after;
  const auto heard =
    cell::of(ago(m.written, now), json(written_text(m.written)), silent ? tone::bad : tone::plain);
  if (!m.beat) {
    std::vector<cell> row{cell::of(m.node), cell::of("cannot be read", tone::bad)};
    for (int i = 0; i < 7; ++i)
      row.push_back(cell::of("", json(nullptr)));
    row.push_back(heard);
    return row;
  }
  const auto& b = *m.beat;
  const auto number = [](std::uint64_t n) { return cell::of(std::to_string(n), json(n)); };
  bool in_set = false;
  if (c.lease) {
    const auto& set = c.lease->record.sync.members;
    in_set = std::find(set.begin(), set.end(), m.node) != set.end();
  }
  const auto role_tone = silent                             ? tone::bad
                         : b.role == member_role::stopped   ? tone::bad
                         : b.role == member_role::rejoining ? tone::busy
                                                            : tone::good;
  return {cell::of(m.node),
          cell::of(word_of(b.role), role_tone),
          number(b.epoch),
          number(b.timeline),
          cell::of(write_lsn(b.received)),
          lag_of(b, end_of_primary(c)),
          cell::of(b.electable ? "yes" : "no", json(b.electable)),
          number(b.priority),
          cell::of(in_set ? "sync" : "", json(in_set)),
          heard};
}

listing list_members(const cluster_view& c, wall_time now) {
  listing rows;
  rows.columns = {{"MEMBER", "member"},       {"ROLE", "role"},
                  {"EPOCH", "epoch"},         {"TIMELINE", "timeline"},
                  {"RECEIVED", "received"},   {"LAG", "lagBytes"},
                  {"ELECTABLE", "electable"}, {"PRIORITY", "priority"},
                  {"SYNC", "sync"},           {"BEAT", "beat"}};
  for (const auto& m : c.members)
    rows.rows.push_back(row_of(m, c, now));
  rows.nothing = "no member has been heard of\n";
  return rows;
}

} // namespace

listing list_clusters(const std::vector<cluster_view>& clusters, wall_time now) {
  listing rows;
  rows.columns = {{"CLUSTER", "cluster"}, {"HOLDER", "holder"},     {"STATE", "state"},
                  {"EPOCH", "epoch"},     {"TIMELINE", "timeline"}, {"MEMBERS", "members"},
                  {"WRITTEN", "written"}};
  for (const auto& c : clusters) {
    const auto members = cell::of(std::to_string(c.members.size()), json(c.members.size()));
    if (!c.lease) {
      const auto nothing = cell::of("", json(nullptr));
      rows.rows.push_back({cell::of(c.name), nothing,
                           c.fault.empty() ? cell::of("no lease", json(nullptr), tone::busy)
                                           : cell::of("unreadable", tone::bad),
                           nothing, nothing, members, nothing});
      continue;
    }
    const auto& r = c.lease->record;
    rows.rows.push_back(
      {cell::of(c.name), cell::of(r.holder), cell::of(state_text(r), tone_of(r.state)),
       cell::of(std::to_string(r.epoch), json(r.epoch)),
       cell::of(std::to_string(r.timeline), json(r.timeline)), members,
       cell::of(ago(c.lease->written, now), json(written_text(c.lease->written)))});
  }
  rows.nothing = "no clusters; 'harmonyctl failover init' makes one\n";
  return rows;
}

std::string describe_cluster(const cluster_view& c, wall_time now, bool colour) {
  std::string text = "Cluster:   " + c.name + "\n";
  if (!c.fault.empty()) {
    text += "Lease:     " + coloured(printable(c.fault), tone::bad, colour) + "\n";
  } else if (!c.lease) {
    text += "Lease:     none yet\n";
  } else {
    const auto& r = c.lease->record;
    text += "Lease:     " + coloured(state_text(r), tone_of(r.state), colour) + " by '"
            + printable(r.holder) + "', epoch " + std::to_string(r.epoch) + ", timeline "
            + std::to_string(r.timeline) + ", flushed " + write_lsn(r.flush_lsn) + "\n"
            + "Written:   " + ago(c.lease->written, now) + ", sequence "
            + std::to_string(c.lease->sequence) + "\nCommits:   wait for " + sync_text(r.sync)
            + "\n";
    if (!r.successor.empty())
      text += "Successor: '" + printable(r.successor) + "'\n";
  }
  return text + "\n" + render(list_members(c, now), output_format::table, colour);
}

json cluster_value(const cluster_view& c, wall_time now) {
  json value{{"cluster", c.name}, {"lease", nullptr}};
  if (!c.fault.empty())
    value["fault"] = c.fault;
  if (c.lease) {
    value["lease"] = json::parse(write(c.lease->record));
    value["sequence"] = c.lease->sequence;
    value["written"] = written_text(c.lease->written);
  }
  value["members"] = json::parse(render(list_members(c, now), output_format::json, false));
  return value;
}

listing list_epochs(const std::map<std::string, store_entry>& entries, wall_time now) {
  std::map<std::uint64_t, std::pair<history_entry, wall_time>> epochs;
  for (const auto& [key, entry] : entries)
    if (const auto read = read_history_entry(entry.value))
      epochs.emplace(read->epoch, std::pair{*read, entry.written});
  listing rows;
  rows.columns = {{"EPOCH", "epoch"},           {"WHEN", "when"},
                  {"HOLDER", "holder"},         {"BEFORE", "predecessor"},
                  {"TIMELINE", "timeline"},     {"FROM", "parent"},
                  {"SWITCHED AT", "switchLsn"}, {"LOST AT MOST", "lostAtMost"},
                  {"REASON", "reason"}};
  const auto number = [](std::uint64_t n) { return cell::of(std::to_string(n), json(n)); };
  for (const auto& [epoch, page] : epochs) {
    const auto& [h, written] = page;
    rows.rows.push_back(
      {number(epoch), cell::of(ago(written, now), json(written_text(written))), cell::of(h.holder),
       cell::of(h.predecessor.empty() ? "-" : h.predecessor, json(h.predecessor)),
       number(h.timeline), h.parent == 0 ? cell::of("-", json(nullptr)) : number(h.parent),
       cell::of(write_lsn(h.switch_lsn)),
       cell::of(std::to_string(h.lost_at_most), json(h.lost_at_most),
                h.lost_at_most == 0 ? tone::good : tone::bad),
       cell::of(h.reason)});
  }
  rows.nothing = "the lease has not changed hands yet\n";
  return rows;
}

order_state judge(const cluster_command& order, const std::optional<lease_record>& before,
                  const std::optional<lease_record>& now) {
  if (!now)
    return order_state::waiting;
  if (order.kind == command_kind::pause)
    return now->paused ? order_state::happened : order_state::waiting;
  if (order.kind == command_kind::resume)
    return now->paused ? order_state::waiting : order_state::happened;
  if (now->epoch <= (before ? before->epoch : 0) || now->state != lease_state::held)
    return order_state::waiting;
  return order.to.empty() || now->holder == order.to ? order_state::happened
                                                     : order_state::otherwise;
}

} // namespace harmony::ctl

#include "failover/view.hpp"

#include <algorithm>
#include <bit>

#include <nlohmann/json.hpp>

namespace harmony::failover {

namespace {

bool is_writable(const machine& m, instant now) {
  return m.at == phase::holding && m.lease && m.pg && m.pg->running && !m.pg->in_recovery
         && m.guard_deadline && now < *m.guard_deadline;
}

/// Less is the log that comes between two looks.
constexpr lsn far_behind = lsn{16} << 20U;

std::string doing(operation_kind k) {
  switch (k) {
  case operation_kind::none: return {};
  case operation_kind::start_standby:
  case operation_kind::start_primary: return "starting";
  case operation_kind::stop: return "stopping";
  case operation_kind::promote: return "promoting";
  case operation_kind::follow: return "turning to its primary";
  case operation_kind::rewind: return "rewinding its data";
  case operation_kind::reclone: return "cloning its data";
  case operation_kind::names: return "changing the synchronous set";
  }
  return {};
}

/// Whether the primary that the newest record names may yet be there: nobody has tried to take
/// over.
bool may_live(refusal r) {
  return r == refusal::store_unreachable || r == refusal::window_running;
}

std::string role_of(const machine& m, bool writable) {
  if (writable)
    return "primary";
  if (!m.pg || !m.pg->running)
    return "stopped";
  return m.pg->in_recovery && m.rejoin == rejoin_step::follow ? "standby" : "rejoining";
}

} // namespace

member_view view_of(const machine& m, const config& c, instant now) {
  member_view v;
  const auto& newest = m.kept.newest;
  const bool writable = is_writable(m, now);
  v.role = role_of(m, writable);
  v.phase = word_of(m.at);
  v.doing = doing(m.operation.kind);
  v.epoch = newest ? newest->epoch : 0;
  if (newest && newest->state == lease_state::held)
    v.primary = newest->holder;
  if (m.pg) {
    v.timeline = m.pg->timeline;
    v.position = m.pg->end();
  }
  if (writable) {
    v.well = true;
    return v;
  }
  v.why_not = m.why_not;
  if (newest && newest->flush_lsn > v.position)
    v.lag = newest->flush_lsn - v.position;
  v.well =
    v.role == "standby" && m.pg->receives && !v.primary.empty() && m.pg->upstream == v.primary;
  v.synchronous =
    newest && newest->sync.k > 0
    && std::binary_search(newest->sync.members.begin(), newest->sync.members.end(), c.node);
  return v;
}

std::string sentence(const member_view& v) {
  auto text = v.role;
  if (v.role == "standby" && !v.primary.empty())
    text += " of " + v.primary;
  text += ", epoch " + std::to_string(v.epoch) + ", timeline " + std::to_string(v.timeline);
  if (v.role != "primary" && v.position != 0 && v.lag >= far_behind)
    text += ", over " + std::to_string(std::bit_floor(v.lag) >> 20U) + " MiB behind";
  if (!v.doing.empty())
    text += ", " + v.doing;
  if (!v.well && v.primary.empty())
    text += "; there is no primary";
  if (!v.well && v.why_not != refusal::none && (v.primary.empty() || !may_live(v.why_not)))
    text += "; " + std::string{word_of(v.why_not)} + ": " + std::string{text_of(v.why_not)};
  return v.trouble.empty() ? text : text + "; " + v.trouble;
}

health_answer answer_of(const member_view& v, std::string_view path,
                        const std::optional<lsn>& most_lag) {
  const bool primary = v.role == "primary";
  const bool replica = v.role == "standby" && v.well && (!most_lag || v.lag <= *most_lag);
  bool yes = false;
  if (path == "/primary" || path == "/")
    yes = primary;
  else if (path == "/replica")
    yes = replica;
  else if (path == "/sync")
    yes = replica && v.synchronous;
  else if (path == "/health")
    yes = v.well;
  else
    return {404, R"({"error":"there are /primary, /replica, /sync and /health"})"
                 "\n"};
  const nlohmann::json body{{"role", v.role},         {"phase", v.phase},
                            {"epoch", v.epoch},       {"primary", v.primary},
                            {"timeline", v.timeline}, {"position", write_lsn(v.position)},
                            {"lagBytes", v.lag},      {"synchronous", v.synchronous}};
  return {yes ? 200 : 503, body.dump() + "\n"};
}

} // namespace harmony::failover

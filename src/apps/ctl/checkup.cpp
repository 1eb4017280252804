#include "apps/ctl/checkup.hpp"

#include <algorithm>

#include "core/age.hpp"
#include "core/explain.hpp"

namespace harmony::ctl {

namespace {

using namespace std::chrono_literals;
using wall_time = std::chrono::system_clock::time_point;

/// Ages of heartbeats and times in a status mean little beyond this, and nothing beyond `absurd`.
constexpr std::chrono::milliseconds doubtful = 5s;
constexpr std::chrono::milliseconds absurd = 5min;
/// A device reads a new manifest within a second of its hint, and within a minute without.
constexpr std::chrono::seconds taken_up_within = 90s;

std::chrono::milliseconds between(wall_time then, wall_time now) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(now - then);
}

std::string count_of(std::size_t n, const std::string& noun) {
  return std::to_string(n) + " " + noun + (n == 1 ? "" : "s");
}

std::string remedy_of(const failure& why) {
  switch (why.code) {
  case ec::bucket_not_found: return "create the buckets with 'harmonyctl init'";
  case ec::store_denied: return "use an operator's credentials (--creds), or have the right given";
  case ec::timed_out: return "try a longer --timeout; look at the server's load and log";
  default: return "look at the server and the network; docs/operations/store-unreachable.md";
  }
}

finding judge(const bucket_sight& b) {
  const auto name = "bucket " + std::string{name_of(b.which)};
  if (!b.keys)
    return {verdict::fail, name, b.keys.error().message, remedy_of(b.keys.error())};
  const auto seen = count_of(*b.keys, "key");
  if (b.write && !*b.write)
    return {verdict::fail, name, seen + ", and it cannot be written: " + b.write->error().message,
            remedy_of(b.write->error())};
  return {verdict::ok, name, seen + (b.write ? ", can be read and written" : ", can be read"), {}};
}

finding judge_clock(const std::optional<std::chrono::milliseconds>& lead) {
  if (!lead)
    return {verdict::ok, "clock", "not compared with the store's: no heartbeat came meanwhile", {}};
  const auto difference = std::chrono::abs(*lead);
  if (difference < doubtful)
    return {verdict::ok, "clock", "agrees with the store's", {}};
  return {difference < absurd ? verdict::warn : verdict::fail, "clock",
          "this machine is " + format_age(difference) + (*lead > 0ms ? " ahead of" : " behind")
            + " the store: ages, and who is offline, are wrong by so much",
          "set the clock of this machine or of the store's: timedatectl set-ntp true"};
}

finding judge_credentials(const store_sight& s) {
  const std::string renew = "make new ones: harmonyctl credentials NAME --admin --keys FOLDER";
  const auto& jwt = *s.credentials;
  if (!jwt)
    return {verdict::fail, "credentials", jwt.error().message, "mend what is said, or " + renew};
  return judge_end("credentials", "are those of '" + jwt->name + "'", jwt->expires, s.now, renew);
}

finding judge_beat(const agent_sight& a, wall_time now) {
  const auto& beat = a.record.beat;
  if (!beat)
    return {verdict::fail, "heartbeat", "none was seen since the store was started",
            "on the device: systemctl status harmony-agent; harmony-agent check"};
  const auto age = between(beat->at, now);
  if (age > offline_after)
    return {verdict::fail, "heartbeat", "the newest is " + format_age(age) + " old: it is offline",
            "on the device: power, network, systemctl status harmony-agent, harmony-agent check"};
  return {verdict::ok, "heartbeat", format_age(age) + " ago", {}};
}

finding judge_answer(const agent_sight& a) {
  if (a.answer)
    return {verdict::ok, "commands", "it answers; version " + a.answer->version, {}};
  // An agent with `commands = "off"` serves none, and that is its owner's choice.
  const bool silent = a.answer.error().code == ec::agent_unreachable;
  return {silent ? verdict::warn : verdict::fail, "commands", a.answer.error().message,
          "where commands are on ('commands' in agent.toml): harmony-agent check on the device"};
}

finding judge_status(const agent_record& r, wall_time now) {
  if (!r.status_fault.empty())
    return {verdict::fail, "status", "cannot be read: " + r.status_fault,
            "harmonyctl and the agent must be of one version"};
  if (!r.status)
    return {verdict::fail, "status", "it has never written one",
            "check its right to write 'actual-state': harmony-agent check on the device"};
  const auto age = format_age(between(r.status_written, now));
  if (r.beat && r.beat->value.boot_id != r.status->boot_id)
    return {verdict::warn, "status",
            "written " + age + " ago by an earlier run of the agent, so it may be out of date",
            "if it stays so, the agent cannot write it: harmony-agent check on the device"};
  return {verdict::ok, "status", "written " + age + " ago, when it changed last", {}};
}

finding judge_generation(const agent_record& r, wall_time now) {
  if (!r.desired_fault.empty())
    return {verdict::fail, "generation", r.desired_fault,
            "write it anew: harmonyctl apply --force -f FILE"};
  if (!r.desired)
    return {verdict::warn, "generation", "no manifest in the store; what runs there runs on",
            "harmonyctl apply -f FILE"};
  const auto newest = r.desired->value.metadata.generation;
  const auto in_force = r.status ? r.status->observed_generation : 0;
  if (in_force >= newest)
    return {verdict::ok, "generation", std::to_string(newest) + ", the newest, is in force", {}};
  const auto age = between(r.desired->written, now);
  const auto seen = std::to_string(in_force) + " is in force, and " + std::to_string(newest)
                    + " was written " + format_age(age) + " ago";
  if (age < taken_up_within)
    return {verdict::ok, "generation", seen, {}};
  return {verdict::fail, "generation", seen,
          "harmonyctl explain " + r.agent + "; harmonyctl resync " + r.agent};
}

/// What to do about a condition.
std::string remedy_of(const condition& c, const std::string& agent) {
  if (c.type == "Held")
    return "harmonyctl unhold " + agent + ", or wait; docs/operations/held.md";
  if (c.type == "DuplicateAgent")
    return "docs/operations/duplicate-agent.md";
  if (c.type == "SafeMode")
    return "apply a generation without what it suspects; docs/state.md";
  if (c.type == "ManifestVerified" || c.type == "DesiredStale")
    return "docs/signing.md, \"When something is refused\"";
  if (c.type == "AuditDegraded")
    return "docs/operations/disk-full.md; on the device: harmony-agent audit verify";
  if (c.type == "ManifestAccepted")
    return "mend the manifest and apply it again; docs/operations/rolled-back.md, docs/reasons.md";
  if (c.type.rfind("State", 0) == 0)
    return "docs/operations/state-degraded.md";
  return "docs/reasons.md";
}

/// Whose word the device takes; what is wrong with it is among the conditions.
std::optional<finding> judge_signatures(const agent_status& s) {
  for (const auto& c : s.conditions)
    if (c.type == "ManifestVerified" && !is_wrong(c))
      return finding{verdict::ok, "signatures", c.message, {}};
  return std::nullopt;
}

findings judge_conditions(const agent_status& s, wall_time now) {
  findings result;
  for (const auto& c : s.conditions) {
    if (!is_wrong(c) || c.type == "Ready") // the resources say that better
      continue;
    const bool mild = c.type == "Held" || c.type == "StateRebuilt" || c.type == "StateExposed";
    result.push_back({mild ? verdict::warn : verdict::fail, c.type,
                      c.reason + " for " + format_age(between(c.last_transition, now))
                        + (c.message.empty() ? "" : ": " + c.message),
                      remedy_of(c, s.agent)});
  }
  return result;
}

finding judge_resources(const agent_status& s) {
  std::string names;
  std::size_t others = 0;
  for (const auto& [id, r] : s.resources)
    if (r.phase != resource_phase::ready && ++others <= 3)
      names += (names.empty() ? "" : ", ") + id.str();
  if (others == 0)
    return {verdict::ok, "resources", "all " + std::to_string(s.resources.size()) + " ready", {}};
  const bool failed = s.phase == agent_phase::degraded || s.phase == agent_phase::rejected;
  return {failed ? verdict::fail : verdict::warn, "resources",
          std::to_string(others) + " of " + std::to_string(s.resources.size())
            + " not ready: " + names + (others > 3 ? ", …" : ""),
          "harmonyctl explain " + s.agent};
}

} // namespace

findings judge(const store_sight& s) {
  findings result;
  if (s.unreachable)
    result.push_back({verdict::fail, "store", s.unreachable->message, remedy_of(*s.unreachable)});
  else
    result.push_back({verdict::ok,
                      "store",
                      "'" + s.url + "' answers in " + std::to_string(s.round_trip.count()) + " ms",
                      {}});
  if (s.credentials)
    result.push_back(judge_credentials(s));
  if (s.unreachable)
    return result;
  for (const auto& each : s.buckets)
    result.push_back(judge(each));
  if (!s.beating)
    result.push_back(
      {verdict::fail, "heartbeats", s.beating.error().message, remedy_of(s.beating.error())});
  else if (*s.beating < s.agents)
    result.push_back({verdict::warn, "heartbeats",
                      count_of(s.agents - *s.beating, "agent") + " of " + std::to_string(s.agents)
                        + " silent for " + format_age(offline_after) + " or more",
                      "harmonyctl get agents; harmonyctl check AGENT"});
  else
    result.push_back(
      {verdict::ok, "heartbeats", count_of(s.agents, "agent") + ", none silent", {}});
  result.push_back(judge_clock(s.clock_lead));
  return result;
}

findings judge(const agent_sight& a, wall_time now) {
  const auto& r = a.record;
  if (!r.known())
    return {{verdict::fail, "agent", "the store knows nothing of '" + r.agent + "'",
             "check the id with 'harmonyctl get agents', and 'agent-id' on the device"}};
  findings result{judge_beat(a, now), judge_answer(a), judge_status(r, now),
                  judge_generation(r, now)};
  if (!r.status)
    return result;
  if (auto signatures = judge_signatures(*r.status))
    result.push_back(std::move(*signatures));
  for (auto& each : judge_conditions(*r.status, now))
    result.push_back(std::move(each));
  result.push_back(judge_resources(*r.status));
  return result;
}

} // namespace harmony::ctl

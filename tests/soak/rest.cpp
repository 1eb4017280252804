#include <algorithm>

#include "soak/upsets.hpp"

namespace harmony::soak {

namespace {

using namespace std::chrono_literals;

std::string not_ready(const agent_status& s) {
  std::string out = "; it is " + std::string{name_of(s.phase)} + " at generation "
                    + std::to_string(s.observed_generation);
  for (const auto& [id, r] : s.resources)
    if (r.phase != resource_phase::ready)
      out += "\n    " + id.str() + " " + std::string{name_of(r.phase)} + " " + r.reason + ": "
             + r.message;
  return out;
}

bool converged_at(const agent_status& s, generation_number generation) {
  return s.phase == agent_phase::converged && s.observed_generation == generation;
}

/// When patience ends: a minute, or what the agent's own backoff asks for, and a little more.
std::chrono::system_clock::time_point patience(const agent_status& s,
                                               std::chrono::system_clock::time_point since) {
  auto end = since + 60s;
  for (const auto& [id, r] : s.resources)
    if (r.next_retry)
      end = std::max(end, std::chrono::system_clock::time_point{*r.next_retry} + 30s);
  return std::min(end, since + 6min);
}

agent_status await_converged(bed& b) {
  const auto since = std::chrono::system_clock::now();
  for (;;) {
    auto now = b.agent.await([&](const agent_status& s) {
      b.tell();
      return converged_at(s, b.generation);
    });
    if (converged_at(now, b.generation) || std::chrono::system_clock::now() > patience(now, since))
      return now;
  }
}

/// An agent that was started just now, or lost its server, answers a little later.
void release_holds(bed& b) {
  const auto end = steady::now() + 30s;
  while (!b.ask<unhold_result>(command_verb::unhold, "{}")) {
    if (steady::now() > end)
      return b.found.violation("the agent answers no command for 30 s");
    pause(200ms);
  }
}

/// What became of containers while podman restarted no event tells: the next relist does.
void await_relist(bed& b) {
  constexpr auto within = 11s; // the agent's relist-interval, and a little more
  while (steady::now() < b.podman_restarted + within && !b.desire.out_of_place().empty())
    pause(100ms);
}

void assert_in_place(bed& b, const std::string& when) {
  for (const auto& each : b.desire.out_of_place())
    b.found.violation(when + ": " + each);
}

void assert_answers(bed& b) {
  if (const auto pinged = b.ask<ping_result>(command_verb::ping, "{}"); !pinged)
    b.found.violation("at rest a ping fails: " + pinged.error().message);
  const auto plan = b.ask<plan_result>(command_verb::plan, b.manifest());
  if (!plan)
    b.found.violation("at rest a plan fails: " + plan.error().message);
  else
    for (const auto& each : plan->resources)
      if (each.step != plan_step::keep)
        b.found.violation("at rest the plan would " + std::string{name_of(each.step)} + " "
                          + each.id.str() + " (" + each.reason + ")");
}

} // namespace

void rest(bed& b) {
  release_holds(b);
  b.desire.mend();
  b.apply();
  const auto began = steady::now();
  await_converged(b);
  const auto took = steady::now() - began;
  await_relist(b);
  const auto status = await_converged(b);
  if (!converged_at(status, b.generation))
    return b.found.violation("generation " + std::to_string(b.generation) + " did not converge"
                             + not_ready(status));
  b.found.converged_after(std::chrono::duration<double, std::milli>(took).count());
  assert_in_place(b, "as soon as it is Converged");
  assert_answers(b);
  pause(1s);
  b.sample();
  const auto later = b.agent.status();
  if (later.boot_id != status.boot_id)
    b.found.violation("the agent started anew while at rest");
  if (!converged_at(later, b.generation))
    b.found.violation("it does not stay Converged at rest" + not_ready(later));
}

} // namespace harmony::soak

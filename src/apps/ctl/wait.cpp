#include "apps/ctl/wait.hpp"

#include <algorithm>

#include "apps/ctl/durations.hpp"
#include "core/age.hpp"

namespace harmony::ctl {

namespace {

using std::chrono::steady_clock;

/// One read may not use up the whole wait, or a lost reply would.
constexpr milliseconds longest_read{5'000};
/// A read that failed is made again so much later, unless the store wakes us before.
constexpr milliseconds retry_after{1'000};

bool in_order(resource_phase p) {
  return p == resource_phase::ready || p == resource_phase::removed;
}

std::string blocker_of(const resource_id& id, const resource_status& r) {
  auto text = id.str() + " is " + std::string{name_of(r.phase)};
  if (!r.reason.empty())
    text += " (" + r.reason + ")";
  return r.message.empty() ? text : text + ": " + r.message;
}

std::string progress_of(const agent_record& record) {
  if (!record.status)
    return "no status yet";
  const auto& s = *record.status;
  const auto ready = std::count_if(s.resources.begin(), s.resources.end(), [](const auto& entry) {
    return entry.second.phase == resource_phase::ready;
  });
  return std::string{name_of(s.phase)} + " at generation " + std::to_string(s.observed_generation)
         + ", " + std::to_string(ready) + " of " + std::to_string(s.resources.size())
         + " resources ready";
}

/// What keeps the agent from being converged at the newest generation.
std::vector<std::string> convergence_blockers(const agent_record& record) {
  std::vector<std::string> found;
  if (!record.desired)
    found.push_back(record.desired_fault.empty() ? "there is no manifest for it"
                                                 : record.desired_fault);
  if (!record.status_fault.empty())
    found.push_back("its status cannot be read: " + record.status_fault);
  if (!record.status) {
    if (record.status_fault.empty())
      found.emplace_back("it has not reported a status yet; is the agent running?");
    return found;
  }
  const auto& status = *record.status;
  if (record.desired) {
    const auto wanted = record.desired->value.metadata.generation;
    if (status.observed_generation < wanted)
      found.push_back("it has observed generation " + std::to_string(status.observed_generation)
                      + ", not " + std::to_string(wanted) + " yet");
  }
  for (const auto& c : status.conditions)
    if (c.type == "ManifestAccepted" && c.status == condition_state::false_)
      found.push_back("it did not accept the manifest (" + c.reason + "): " + c.message);
  for (const auto& [id, r] : status.resources)
    if (!in_order(r.phase))
      found.push_back(blocker_of(id, r));
  if (found.empty() && status.phase != agent_phase::converged)
    found.push_back("it says that it is " + std::string{name_of(status.phase)});
  return found;
}

budget budget_of_read(steady_clock::time_point end) {
  const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
  return budget{std::clamp(left, milliseconds{1}, longest_read)};
}

/// Errors that waiting does not cure.
bool is_final(ec code) {
  return code == ec::store_denied || code == ec::bucket_not_found || code == ec::invalid_spec;
}

failure out_of_time(store& from, const wait_request& request,
                    const std::vector<std::string>& blockers) {
  auto message = "'" + request.agent + "' is not " + describe(request.condition) + " in time";
  for (const auto& b : blockers)
    message += "\n  " + b;
  const auto beat = from.last_beat(request.agent, milliseconds{500});
  if (beat && *beat) {
    const auto age =
      std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now() - (*beat)->written);
    if (age > offline_after)
      message += "\n  its last heartbeat came " + format_age(age) + " ago";
  } else if (beat) {
    message += "\n  no heartbeat seen";
  }
  return {ec::timed_out, message};
}

} // namespace

std::string describe(const wait_condition& condition) {
  switch (condition.kind) {
  case wait_condition::what::converged: return "converged";
  case wait_condition::what::generation:
    return "at generation " + std::to_string(condition.generation);
  case wait_condition::what::phase: return "in phase " + std::string{name_of(condition.phase)};
  }
  return "converged";
}

wait_verdict judge(const wait_condition& condition, const agent_record& record) {
  wait_verdict verdict;
  verdict.progress = progress_of(record);
  const auto* status = record.status ? &*record.status : nullptr;
  switch (condition.kind) {
  case wait_condition::what::converged:
    verdict.met = status != nullptr && record.desired && status->phase == agent_phase::converged
                  && status->observed_generation >= record.desired->value.metadata.generation;
    if (!verdict.met)
      verdict.blockers = convergence_blockers(record);
    return verdict;
  case wait_condition::what::generation:
    verdict.met = status != nullptr && status->observed_generation >= condition.generation;
    break;
  case wait_condition::what::phase:
    verdict.met = status != nullptr && status->phase == condition.phase;
    break;
  }
  if (!verdict.met)
    verdict.blockers.push_back(status == nullptr
                                 ? "it has not reported a status yet; is the agent running?"
                                 : "it is " + verdict.progress);
  return verdict;
}

outcome<agent_record> wait_for(store& from, const wait_request& request) {
  const auto wake = std::make_shared<signal>();
  const auto raise = [wake](const std::string& /*key*/) { wake->raise(); };
  // Subscribed before the first read, so that no change falls between the two.
  std::vector<std::unique_ptr<subscription>> subscriptions;
  for (const auto b : {bucket::desired_state, bucket::actual_state}) {
    auto made = from.watch(b, request.agent, raise);
    if (!made)
      return made.error();
    subscriptions.push_back(std::move(*made));
  }
  const std::stop_callback interrupted{request.stop, [wake] { wake->raise(); }};

  std::vector<std::string> blockers;
  for (;;) {
    if (request.stop.stop_requested())
      return {ec::canceled, "interrupted while waiting for '" + request.agent + "'"};
    auto next = request.end;
    auto record = read_agent(from, request.agent, budget_of_read(request.end), false);
    if (record) {
      if (!record->known())
        return {ec::not_found,
                "no agent '" + request.agent + "' in the store; see 'harmonyctl get agents'"};
      const auto verdict = judge(request.condition, *record);
      if (verdict.met)
        return std::move(*record);
      blockers = verdict.blockers;
      if (request.on_progress)
        request.on_progress(verdict);
    } else if (is_final(record.error().code)) {
      return record.error();
    } else {
      blockers = {record.error().message};
      next = std::min(next, steady_clock::now() + retry_after);
    }
    wake->wait_until(next);
    if (steady_clock::now() >= request.end)
      return out_of_time(from, request, blockers);
  }
}

} // namespace harmony::ctl

#include "actors/status_aggregator.hpp"

#include <algorithm>
#include <array>

#include <spdlog/spdlog.h>

#include "actors/status_texts.hpp"
#include "actors/wake.hpp"
#include "fault/fault.hpp"

namespace harmony {

namespace {

using self_pointer = status_aggregator_actor::stateful_pointer<status_aggregator_state>;

/// Looks and writes in a row that may lose before the next one waits.
constexpr unsigned max_steps = 6;

// --- when to write

bool is_settled(agent_phase p) {
  return p == agent_phase::converged || p == agent_phase::degraded || p == agent_phase::rejected;
}

void arm(self_pointer self, instant at) {
  auto& s = self->state;
  if (s.armed_at && *s.armed_at <= at)
    return;
  s.armed_at = at;
  const timer_due due{++s.timer_epoch};
  // At once still means after the messages that already wait: they share one write.
  if (at <= self->clock().now())
    self->send(self, due);
  else
    self->scheduled_send(self, at, due);
}

// --- what to write

void refresh(self_pointer self) {
  auto& s = self->state;
  tell_holds(s);
  std::vector<resource_standing> standings;
  standings.reserve(s.standings.size());
  for (const auto& [id, r] : s.standings)
    standings.push_back(r.standing);
  const auto before = s.document.phase;
  s.document.phase =
    s.safe_mode ? agent_phase::degraded : summarise(standings, s.expected != nullptr, s.refused);
  if (s.searching && s.document.phase == agent_phase::converged)
    s.document.phase = agent_phase::converging;
  if (s.document.phase != before)
    spdlog::info("agent '{}' is {} at generation '{}'", s.config.agent, name_of(s.document.phase),
                 s.document.observed_generation);
  const standing_changed standing{s.document.observed_generation, s.document.phase};
  if (standing.phase == s.told.phase && standing.observed_generation == s.told.observed_generation)
    return;
  s.told = standing;
  self->send(s.config.heartbeat, standing);
}

// --- how the generation fares

/// Tells once that every resource was ready.
void note_convergence(self_pointer self) {
  auto& s = self->state;
  if (!s.in_progress || s.searching
      || !std::all_of(s.standings.begin(), s.standings.end(),
                      [](const auto& each) { return is_ready(each.second.standing); }))
    return;
  set(s, "Progressing", true, "Converged", "every resource was ready");
  self->send(s.watcher, generation_converged{*s.in_progress});
  s.in_progress.reset();
  s.progress_end.cancel();
}

void changed(self_pointer self);

void on_progress_due(self_pointer self) {
  auto& s = self->state;
  const auto why = laggards(s);
  if (!s.in_progress || why.empty())
    return;
  set(s, "Progressing", false, "ProgressDeadlineExceeded", why);
  spdlog::warn("generation '{}' was not ready in time: {}", *s.in_progress, why);
  self->send(s.watcher, generation_stalled{*s.in_progress, why});
  changed(self);
}

void follow_progress(self_pointer self, const expectation& e) {
  auto& s = self->state;
  s.progress_end.cancel();
  s.in_progress.reset();
  set(s, "Progressing", true, "Converging", "generation " + std::to_string(e.generation));
  if (!e.progress_deadline)
    return;
  s.in_progress = e.generation;
  if (*e.progress_deadline > duration::zero())
    wake_at(self, s.progress_end, self->clock().now() + *e.progress_deadline, progress_due{});
}

/// Something of the document changed: write it when it is time.
void changed(self_pointer self) {
  auto& s = self->state;
  refresh(self);
  note_convergence(self);
  const auto now = self->clock().now();
  const bool at_once = is_settled(s.document.phase) || !s.key->written();
  arm(self, at_once ? now : std::max(now, s.last_write + s.config.progress_interval));
}

// --- the write

/// Says so where another agent goes by the same id, and when that is over.
void note_claim(self_pointer self) {
  auto& s = self->state;
  auto& all = s.document.conditions;
  const auto said = duplicate_condition(s.key->claim(), s.config.agent, all);
  if (!said)
    return;
  set(s, said->type, said->status == condition_state::true_, said->reason, said->message);
  spdlog::warn("{}", said->message);
}

void keep(status_aggregator_state& s) {
  const auto number = std::exchange(s.document.sequence, s.kept.sequence);
  const bool same = s.kept == s.document;
  s.document.sequence = number;
  if (!s.config.keep || same)
    return;
  s.kept = s.document;
  s.config.keep(write_status(s.kept));
}

instant next_look(self_pointer self) {
  auto& s = self->state;
  std::uniform_real_distribution<double> factor{0.75, 1.25};
  return self->clock().now()
         + std::chrono::duration_cast<duration>(s.config.look_interval * factor(s.random));
}

/// The facts of the device come after the status, which matters more.
void put_facts(status_aggregator_state& s) {
  s.facts_due = false;
  if (const auto put = s.key->write_facts(s.config.facts); !put)
    spdlog::warn("facts of the device cannot be written: {}: {}", reason_of(put.error().code),
                 put.error().message);
}

outcome<bool> counted(const status_aggregator_state& s, outcome<bool> done) {
  if (done && *done)
    ++s.config.counters->written;
  return done;
}

/// One step toward a store that shows the document: a look, a write, or the facts. True when
/// nothing is left to do. The store is called once or twice at most, so that the mailbox is looked
/// after between.
outcome<bool> step(self_pointer self) {
  auto& s = self->state;
  if (s.key->doubted()) {
    if (const auto looked = s.key->look(); !looked)
      return looked.error();
    s.look_at = next_look(self);
    note_claim(self);
    return false;
  }
  if (!s.key->current(s.document))
    return counted(s, s.key->write(s.document, s.config.wall_clock()));
  if (s.facts_due)
    put_facts(s);
  return true;
}

void write(self_pointer self) {
  auto& s = self->state;
  set_condition(s.document.conditions, ready_condition(s));
  keep(s);
  s.last_write = self->clock().now();
  if (!s.connected)
    return;
  if (s.last_write >= s.look_at)
    s.key->doubt();
  const auto done = step(self);
  s.last_write = self->clock().now();
  if (!done) {
    ++s.config.counters->failed;
    std::uniform_real_distribution<double> jitter;
    spdlog::warn("agent '{}' cannot write its status: {}: {}; tries again", s.config.agent,
                 reason_of(done.error().code), done.error().message);
    arm(self,
        s.last_write + s.config.retries.delay(done.error().code, ++s.failures, jitter(s.random)));
    return;
  }
  s.failures = 0;
  s.steps = *done ? 0 : s.steps + 1;
  if (s.steps > max_steps) // somebody else writes all the time, or a replica that lags answers
    arm(self, s.last_write + s.config.retries.soon);
  else
    arm(self, *done && !s.facts_due ? s.look_at : s.last_write);
}

// --- handlers

bool is_expected(const status_aggregator_state& s, const resource_id& id,
                 const std::string& desire) {
  if (!s.expected)
    return false;
  const auto it = s.expected->desires.find(id);
  return it != s.expected->desires.end() && it->second == desire;
}

void note_refusal(status_aggregator_state& s, const manifest_refused& what) {
  s.refused = true;
  set(s, "ManifestAccepted", false, std::string{reason_of(what.why.code)}, what.why.message);
  spdlog::warn("manifest is refused, the one before it stays in force: {}: {}",
               reason_of(what.why.code), what.why.message);
}

/// Nothing has converged before this one is ready, or forgotten.
void expect(status_aggregator_state& s, const resource_id& id) {
  s.standings.try_emplace(id);
  s.document.resources.try_emplace(id);
}

void on_search_ended(self_pointer self, const search_ended& what) {
  auto& s = self->state;
  s.searching = false;
  for (const auto& id : what.known)
    expect(s, id);
  changed(self);
}

/// Nothing is looked at in safe mode, so nothing is claimed.
void on_safe_mode(self_pointer self, const safe_mode_entered& what) {
  auto& s = self->state;
  s.safe_mode = true;
  s.document.observed_generation = what.held_back->metadata.generation;
  for (const auto& r : what.held_back->resources) {
    auto& status = s.document.resources[r.id];
    status.revision = r.revision;
    status.reason = "SafeMode";
    status.message =
      "it is not looked at while the agent is in safe mode; what runs is left as it is";
    status.last_transition = s.config.wall_clock();
  }
  set(s, "SafeMode", true, "CrashLoop", what.why);
  changed(self);
}

void leave_safe_mode(status_aggregator_state& s) {
  if (!std::exchange(s.safe_mode, false))
    return;
  s.document.resources.clear();
  set(s, "SafeMode", false, "Left",
      "generation " + std::to_string(s.expected->generation) + " is in force");
}

void on_expectation(self_pointer self, expectation_changed& what) {
  auto& s = self->state;
  s.expected = std::move(what.what);
  s.refused = false;
  s.document.observed_generation = s.expected->generation;
  leave_safe_mode(s);
  for (const auto& [id, desire] : s.expected->desires)
    expect(s, id);
  for (const auto& id : s.expected->leaving)
    expect(s, id);
  s.searching = s.expected->searching;
  // What is not expected any more stays, not current, until it is forgotten.
  for (auto& [id, known] : s.standings)
    known.standing.current = is_expected(s, id, known.desire);
  set(s, "ManifestAccepted", true, "Accepted",
      "generation " + std::to_string(s.expected->generation));
  follow_progress(self, *s.expected);
  if (s.expected->instead_of)
    note_refusal(s, *s.expected->instead_of);
  changed(self);
}

void on_reported(self_pointer self, resource_reported& what) {
  auto& s = self->state;
  const bool current = is_expected(s, what.id, what.desire);
  s.standings[what.id] = {{what.status.phase, current, what.troubled}, std::move(what.desire)};
  s.document.resources[what.id] = std::move(what.status);
  changed(self);
}

void on_forgotten(self_pointer self, const resource_forgotten& what) {
  auto& s = self->state;
  s.standings.erase(what.id);
  s.document.resources.erase(what.id);
  if (s.expected && s.expected->desires.count(what.id) != 0) // it came back while it was removed
    expect(s, what.id);
  changed(self);
}

void on_confirmed(self_pointer self) {
  auto& s = self->state;
  if (!s.refused)
    return;
  s.refused = false;
  set(s, "ManifestAccepted", true, "Accepted",
      "generation " + std::to_string(s.document.observed_generation));
  changed(self);
}

void on_observer(self_pointer self, const observer_standing& what) {
  auto& s = self->state;
  static constexpr std::array names{"Files",    "Systemd", "Containers", "Packages",
                                    "Accounts", "Network", "Clusters"};
  const std::string runtime = names.at(static_cast<std::size_t>(what.runtime));
  set(s, runtime + "ObserverStale", !what.seeing, what.seeing ? "Observing" : "RelistFailed",
      what.message);
  changed(self);
}

void on_connection(self_pointer self, const connection_changed& what) {
  auto& s = self->state;
  if (s.config.keep_connection)
    s.config.keep_connection(what.connected, what.detail);
  s.connected = what.connected;
  s.config.counters->connected = what.connected;
  if (!s.connected)
    return;
  s.key->doubt_store(); // another server, or an older store
  s.facts_due = true;
  arm(self, self->clock().now());
}

void on_due(self_pointer self, timer_due t) {
  auto& s = self->state;
  if (t.epoch != s.timer_epoch)
    return;
  s.armed_at.reset();
  write(self);
}

void on_stop(self_pointer self) {
  auto& s = self->state;
  constexpr int last_steps = 3;
  set_condition(s.document.conditions, ready_condition(s));
  keep(s);
  s.facts_due = false;
  for (int i = 0; s.connected && i < last_steps; ++i)
    if (const auto done = step(self); !done || *done)
      break;
  self->quit();
}

} // namespace

status_aggregator_actor::behavior_type status_aggregator(self_pointer self,
                                                         status_aggregator_config config) {
  auto& s = self->state;
  s.document.agent = config.agent;
  s.document.boot_id = config.boot_id;
  s.document.conditions = config.conditions;
  s.config = std::move(config);
  const auto& c = s.config;
  s.random.seed(static_cast<std::minstd_rand::result_type>(c.seed));
  s.key.emplace(*c.actual, c.agent, c.boot_id, c.call_timeout);
  return {
    [](const roll_call& call) { ++*call.present; },
    [self](expectation_changed& what) { on_expectation(self, what); },
    [self](resource_reported& what) { on_reported(self, what); },
    [self](const resource_forgotten& what) { on_forgotten(self, what); },
    [self](const manifest_refused& what) {
      note_refusal(self->state, what);
      changed(self);
    },
    [self](manifest_confirmed) { on_confirmed(self); },
    [self](const observer_standing& what) { on_observer(self, what); },
    [self](const connection_changed& what) { on_connection(self, what); },
    [self](condition_changed& what) {
      set_condition(self->state.document.conditions, std::move(what.what));
      changed(self);
    },
    [self](const search_ended& what) { on_search_ended(self, what); },
    [self](const safe_mode_entered& what) { on_safe_mode(self, what); },
    [self](store_doubted) {
      self->state.key->doubt();
      arm(self, self->clock().now());
    },
    [self](watcher_joined& who) { self->state.watcher = std::move(who.watcher); },
    [self](status_asked) {
      return status_told{std::make_shared<const agent_status>(self->state.document)};
    },
    [self](progress_due) {
      if (rings(self, self->state.progress_end, progress_due{}))
        on_progress_due(self);
    },
    [self](timer_due t) { on_due(self, t); },
    [self](stop_requested) { on_stop(self); },
  };
}

} // namespace harmony

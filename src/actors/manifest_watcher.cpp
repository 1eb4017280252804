#include "actors/manifest_watcher.hpp"

#include <spdlog/spdlog.h>

#include "actors/manifest_memory.hpp"
#include "actors/wake.hpp"
#include "fault/fault.hpp"

namespace harmony {

namespace {

using self_pointer = manifest_watcher_actor::stateful_pointer<manifest_watcher_state>;

void arm(self_pointer self, duration wait) {
  wake_at(self, self->state.next_read, self->clock().now() + wait, timer_due{});
}

void arm_poll(self_pointer self) {
  auto& s = self->state;
  std::uniform_real_distribution<double> factor{0.75, 1.25};
  arm(self, std::chrono::duration_cast<duration>(s.config.poll_interval * factor(s.random)));
}

void tell(self_pointer self, condition what) {
  self->send(self->state.config.aggregator, condition_changed{std::move(what)});
}

/// Keeps on record what became of a manifest. Why one was refused may quote what it holds: of that
/// only the reason is kept.
void audit(const manifest_watcher_state& s, std::string event, generation_number generation,
           std::string hash, std::string result, const std::vector<named_key>& signers = {}) {
  if (s.config.audit == nullptr)
    return;
  audit_event e;
  e.event = std::move(event);
  e.subject = generation == 0 ? "manifest" : "generation " + std::to_string(generation);
  e.revision = std::move(hash);
  e.result = std::move(result);
  for (const auto& each : signers)
    e.keys.push_back(key_id_of(each.key));
  s.config.audit->note(std::move(e));
}

void refuse(self_pointer self, failure why, generation_number generation) {
  auto& s = self->state;
  if (s.refused == why)
    return;
  audit(s, "manifest-refused", generation, {}, std::string{reason_of(why.code)});
  s.refused = why;
  self->send(s.config.dispatcher, manifest_refused{std::move(why), generation});
}

/// Says so when what is desired expires, and when it does not any more.
void note_freshness(self_pointer self) {
  auto& s = self->state;
  const auto now = s.config.wall_clock();
  auto is =
    stale_condition(s.in_force ? &*s.in_force : nullptr, s.refused ? &*s.refused : nullptr, now);
  if (!is && s.stale) // a status keeps what was once said
    is = condition{"DesiredStale", condition_state::false_, "NoExpiry", {}, now};
  if (!is
      || (s.stale && s.stale->status == is->status && s.stale->reason == is->reason
          && s.stale->observed_generation == is->observed_generation))
    return;
  if (is->status != condition_state::false_)
    spdlog::warn("{}", is->message);
  s.stale = is;
  tell(self, std::move(*is));
}

/// A manifest came into force: in a while it will have done well.
void await_health(self_pointer self) {
  auto& s = self->state;
  s.held_back = false;
  if (s.config.flight != nullptr)
    wake_at(self, s.health, self->clock().now() + s.config.flight->policy().healthy_after,
            healthy_due{});
}

void put_in_force(self_pointer self, admission_accepted what,
                  std::optional<duration> progress_deadline,
                  std::optional<manifest_refused> instead_of = {}) {
  auto& s = self->state;
  auto& m = what.value;
  await_health(self);
  manifest_accepted message{nullptr, progress_deadline, std::move(instead_of), {}};
  // Later ones leave nothing that the dispatcher does not know.
  if (!s.in_force)
    message.retained = retained_leftovers(*s.config.state, s.config.terms, m);
  s.in_force = m.metadata;
  tell(self, verified_condition(s.config.terms.trust, m.metadata.generation, what.signers,
                                s.config.wall_clock()));
  message.what = std::make_shared<const manifest>(std::move(m));
  self->send(s.config.dispatcher, std::move(message));
}

duration deadline_of(const manifest& m) {
  return std::chrono::seconds{m.progress_deadline};
}

void note_ending(const self_pointer self, generation_ending ending, const std::string& why = {}) {
  const auto& s = self->state;
  const auto saved =
    s.config.state->save_ending(s.accepted->generation, s.accepted->key_epoch, ending, why);
  if (!saved)
    spdlog::error("what became of generation '{}' could not be saved: {}", s.accepted->generation,
                  saved.error().message);
}

/// Puts the last manifest that converged in force instead of the accepted one.
bool go_back(self_pointer self, const std::string& why) {
  auto& s = self->state;
  auto former = last_converged(*s.config.state, s.config.terms);
  if (!former)
    return false;
  const auto generation = former->value.metadata.generation;
  s.rolled_back = failure{ec::rolled_back, "generation " + std::to_string(s.accepted->generation)
                                             + " was not ready in time and generation "
                                             + std::to_string(generation)
                                             + " is in force again; it is not tried again before a "
                                               "newer one comes: "
                                             + why};
  s.refused = s.rolled_back;
  put_in_force(self, std::move(*former), std::nullopt,
               manifest_refused{*s.rolled_back, s.accepted->generation});
  return true;
}

void on_stalled(self_pointer self, const generation_stalled& what) {
  auto& s = self->state;
  if (!s.accepted || s.accepted->generation != what.generation || s.rolled_back)
    return;
  if (!go_back(self, what.why)) {
    spdlog::warn("no generation before '{}' converged: nothing to go back to", what.generation);
    return;
  }
  note_ending(self, generation_ending::rolled_back, what.why);
  audit(s, "rolled-back", what.generation, s.accepted->hash, {});
}

/// Keeps the accepted document for the next start. Where that cannot be done now, the next poll
/// tries again.
void save(self_pointer self, const std::string& document) {
  auto& s = self->state;
  const auto& mark = *s.accepted;
  const auto saved =
    s.config.state->save_accepted(mark.generation, mark.key_epoch, mark.hash, document);
  if (!saved && !s.unsaved)
    spdlog::error("accepted manifest could not be saved, until it can be it is in force only until "
                  "the next start: {}",
                  saved.error().message);
  s.unsaved = saved ? std::nullopt : std::optional{document};
}

void accept(self_pointer self, admission_accepted& what, const std::string& document) {
  auto& s = self->state;
  s.accepted = what.mark;
  audit(s, "manifest-accepted", what.mark.generation, "sha256:" + what.mark.hash,
        std::to_string(what.value.resources.size()) + " resources, "
          + std::to_string(what.value.rejected.size()) + " rejected",
        what.signers);
  s.unsaved.reset();
  save(self, document);
  if (s.config.flight != nullptr)
    s.config.flight->in_force(what.mark);
  s.refused.reset();
  s.rolled_back.reset();
  const auto deadline = deadline_of(what.value);
  put_in_force(self, std::move(what), deadline);
}

/// The accepted manifest came again. Where it was not trusted any more, it is now: its envelope has
/// other signatures.
void trust_again(self_pointer self, const std::string& document) {
  auto& s = self->state;
  auto judged = admit_again(document, s.config.terms);
  if (auto* taken = std::get_if<admission_accepted>(&judged)) {
    s.distrusted = false;
    accept(self, *taken, document);
  }
}

void judge(self_pointer self, const std::string& document) {
  auto& s = self->state;
  auto verdict = admit(document, s.config.terms, s.accepted, s.config.wall_clock());
  if (auto* taken = std::get_if<admission_accepted>(&verdict)) {
    s.distrusted = false;
    accept(self, *taken, document);
  } else if (auto* refused = std::get_if<admission_refused>(&verdict)) {
    refuse(self, std::move(refused->why), refused->generation);
  } else if (s.distrusted) {
    trust_again(self, document);
  } else if (s.rolled_back) {
    refuse(self, *s.rolled_back, s.accepted->generation);
  } else if (s.refused) {
    s.refused.reset();
    self->send(s.config.dispatcher, manifest_confirmed{});
  }
  note_freshness(self);
}

outcome<std::optional<store_entry>> desired_entry(const manifest_watcher_state& s) {
  HARMONY_FAULT("store.read");
  return s.config.desired->get(bucket::desired_state, s.config.terms.agent, s.config.get_timeout);
}

/// Nothing new was read.
void arm_again(self_pointer self) {
  auto& s = self->state;
  if (s.unseen == 0 || s.unseen > s.config.rereads) {
    s.unseen = 0;
    arm_poll(self);
    return;
  }
  std::uniform_real_distribution<double> jitter;
  arm(self, retry_delay(s.config.reread, s.unseen++, jitter(s.random)));
}

/// A store that answers again, or whose key went back or was written anew under its old number, may
/// have lost the status too.
void note_answer(self_pointer self, const std::optional<store_entry>& entry) {
  auto& s = self->state;
  const auto revision = entry ? entry->revision : 0;
  const bool went_back =
    s.judged
    && (revision < s.judged->first
        || (revision == s.judged->first && entry->written != s.judged->second));
  if (s.failures > 0 || went_back)
    self->send(s.config.aggregator, store_doubted{});
  s.failures = 0;
}

/// Reads the key once. A deleted or missing key changes nothing: it never means "stop everything".
void read(self_pointer self) {
  auto& s = self->state;
  if (s.unsaved)
    save(self, std::string{*s.unsaved});
  note_freshness(self);
  if (!s.connected) {
    arm_poll(self);
    return;
  }
  const auto entry = desired_entry(s);
  if (!entry) {
    std::uniform_real_distribution<double> jitter;
    spdlog::warn("desired state cannot be read: {}: {}", reason_of(entry.error().code),
                 entry.error().message);
    arm(self, s.config.retries.delay(entry.error().code, ++s.failures, jitter(s.random)));
    return;
  }
  note_answer(self, *entry);
  if (!*entry) {
    s.judged.reset();
    arm_poll(self);
    return;
  }
  const std::pair mark{(*entry)->revision, (*entry)->written};
  if (std::exchange(s.judged, mark) == mark) {
    arm_again(self);
    return;
  }
  s.unseen = 0;
  arm_poll(self);
  judge(self, (*entry)->value);
}

/// Safe mode: whether the manifest on record has to wait, because the agent crashed on it.
bool hold_back(self_pointer self, const manifest& m) {
  auto& s = self->state;
  if (s.config.flight == nullptr || s.config.flight->held_back().empty())
    return false;
  s.held_back = true;
  spdlog::error("safe mode: {}", s.config.flight->held_back());
  self->send(s.config.aggregator,
             safe_mode_entered{s.config.flight->held_back(), std::make_shared<const manifest>(m)});
  self->delayed_send(self, s.config.flight->policy().try_after, safe_mode_due{});
  return true;
}

/// What the device remembers may not run on it. That it was accepted is not forgotten, so that
/// nothing older comes after it; what runs is left alone.
void distrust(self_pointer self, const accepted_manifest& record, failure why) {
  auto& s = self->state;
  if (why.code != ec::wrong_agent) { // of which nothing was accepted yet
    s.accepted = accepted_mark{record.key_epoch, record.generation, record.hash};
    s.distrusted = true;
  }
  why.message = "generation " + std::to_string(record.generation)
                + ", which this device accepted before, is not put in force, and what runs is left "
                  "as it is: "
                + why.message;
  spdlog::error("{}", why.message);
  auto unverified = unverified_condition(s.config.terms.trust, s.config.wall_clock());
  if (why.code == ec::unsigned_document || why.code == ec::signature_invalid) {
    unverified.status = condition_state::false_;
    unverified.reason = reason_of(why.code);
    unverified.message = why.message;
  }
  tell(self, std::move(unverified));
  refuse(self, std::move(why), record.generation);
}

/// Boots offline: the last accepted manifest is in force before any network.
void resume(self_pointer self, bool cautious) {
  auto& s = self->state;
  auto saved = s.config.state->accepted();
  if (!saved || !*saved)
    return;
  const auto& record = **saved;
  auto judged = admit_again(record.document, s.config.terms);
  if (auto* refused = std::get_if<admission_refused>(&judged)) {
    distrust(self, record, std::move(refused->why));
    return;
  }
  auto& taken = std::get<admission_accepted>(judged);
  s.accepted = taken.mark;
  if (cautious && hold_back(self, taken.value))
    return;
  if (record.ending == generation_ending::rolled_back && go_back(self, record.why))
    return;
  const auto deadline = record.ending == generation_ending::converged
                          ? std::nullopt
                          : std::optional{deadline_of(taken.value)};
  put_in_force(self, std::move(taken), deadline);
}

/// Several hints that came together are one read.
void read_soon(self_pointer self) {
  arm(self, duration::zero());
}

} // namespace

manifest_watcher_actor::behavior_type manifest_watcher(self_pointer self,
                                                       manifest_watcher_config config) {
  auto& s = self->state;
  s.random.seed(static_cast<std::minstd_rand::result_type>(config.seed));
  s.config = std::move(config);
  resume(self, true);
  note_freshness(self);
  arm_poll(self);
  return {
    [](const roll_call& call) { ++*call.present; },
    [self](desired_hinted what) {
      if (what.changed)
        self->state.unseen = 1;
      read_soon(self);
    },
    [self](const connection_changed& what) {
      self->state.connected = what.connected;
      self->state.judged.reset(); // never trust a revision across a reconnect
      if (what.connected)
        read_soon(self);
    },
    [self](generation_converged what) {
      const auto& accepted = self->state.accepted;
      if (accepted && accepted->generation == what.generation)
        note_ending(self, generation_ending::converged);
      if (self->state.config.state->rebuilding())
        (void)self->state.config.state->rebuilt(); // at worst it is done again at the next start
    },
    [self](const generation_stalled& what) { on_stalled(self, what); },
    [self](safe_mode_due) {
      if (self->state.held_back)
        resume(self, false);
    },
    [self](healthy_due) {
      if (rings(self, self->state.health, healthy_due{}))
        self->state.config.flight->healthy();
    },
    [self](timer_due) {
      if (rings(self, self->state.next_read, timer_due{}))
        read(self);
    },
    [self](stop_requested) { self->quit(); },
  };
}

} // namespace harmony

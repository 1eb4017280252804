#include "actors/observer.hpp"

#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include "actors/wake.hpp"

namespace harmony {

namespace {

using self_pointer = observer_actor::stateful_pointer<observer_state>;

/// Relists in a row that may fail before the observer says that it sees nothing.
constexpr std::uint32_t blind_after = 3;

/// Whether it looks at its runtime at all.
bool follows(self_pointer self) {
  const auto& s = self->state;
  return s.targets && (!s.targets->empty() || self->clock().now() < s.linger_until);
}

void arm(self_pointer self) {
  auto& s = self->state;
  if (!follows(self)) {
    s.next_relist.cancel();
    return;
  }
  const bool streaming = s.targets->empty() || (s.config.monitor->streaming() && s.blind == 0);
  const auto wait = streaming ? s.config.relist_streaming : s.config.relist_blind;
  wake_at(self, s.next_relist, self->clock().now() + wait, timer_due{});
}

void relist(self_pointer self) {
  auto& s = self->state;
  if (!follows(self))
    return;
  if (s.relisting) {
    s.relist_again = true;
    return;
  }
  s.relisting = true;
  const auto timeout =
    std::chrono::duration_cast<std::chrono::milliseconds>(s.config.relist_timeout);
  self->send(s.config.lane,
             run_operation{observer_actor{self}, ++s.operation, operation_kind::observe, "(relist)",
                           2 * s.config.relist_timeout,
                           [monitor = s.config.monitor, timeout](const std::stop_token&,
                                                                 instant) -> operation_answer {
                             auto facts = monitor->relist(timeout);
                             if (!facts)
                               return facts.error();
                             return std::move(*facts);
                           }});
}

void touch(self_pointer self, const std::string& target) {
  const auto& s = self->state;
  if (!s.targets)
    return;
  if (const auto it = s.targets->find(target); it != s.targets->end())
    self->send(s.config.dispatcher, resource_touched{it->second});
}

void on_hint(self_pointer self, const std::string& target) {
  if (target.empty())
    relist(self);
  else
    touch(self, target);
}

void on_targets(self_pointer self, targets_changed& what) {
  auto& s = self->state;
  // Also while it only lingers: what is new is looked at soon.
  const bool idle = !follows(self) || (s.targets->empty() && !what.targets->empty());
  const bool had_some = s.targets && !s.targets->empty();
  s.targets = std::move(what.targets);
  if (had_some && s.targets->empty())
    s.linger_until = self->clock().now() + s.config.linger;
  std::vector<std::string> names;
  names.reserve(s.targets->size());
  for (const auto& [target, id] : *s.targets)
    names.push_back(target);
  std::erase_if(s.fingerprints,
                [&](const auto& each) { return s.targets->count(each.first) == 0; });
  s.config.monitor->watch(std::move(names));
  if (idle) // otherwise one is due already, and stays so however often manifests come
    arm(self);
}

void on_facts(self_pointer self, const std::vector<runtime_fact>& facts) {
  auto& s = self->state;
  if (s.blind >= blind_after)
    self->send(s.config.dispatcher, observer_standing{s.config.runtime, true, {}});
  s.blind = 0;
  bool stray = false;
  for (const auto& fact : facts) {
    if (s.targets->count(fact.target) == 0) {
      stray = true;
      continue;
    }
    // At first sight nobody knows what happened to it since its supervisor looked.
    auto [it, fresh] = s.fingerprints.try_emplace(fact.target, fact.fingerprint);
    if (!fresh && it->second == fact.fingerprint)
      continue;
    it->second = fact.fingerprint;
    touch(self, fact.target);
  }
  if (stray)
    self->send(s.config.dispatcher, stray_seen{s.config.runtime});
}

void on_blind(self_pointer self, const failure& why) {
  auto& s = self->state;
  if (++s.blind != blind_after)
    return;
  spdlog::warn("observer '{}' cannot list its runtime: {}", s.config.name, why.message);
  self->send(s.config.dispatcher, observer_standing{s.config.runtime, false, why.message});
}

void on_finished(self_pointer self, const operation_finished& what) {
  auto& s = self->state;
  if (what.operation != s.operation)
    return;
  s.relisting = false;
  if (const auto* facts = std::get_if<std::vector<runtime_fact>>(&what.answer))
    on_facts(self, *facts);
  else if (const auto* why = std::get_if<failure>(&what.answer))
    on_blind(self, *why);
  if (std::exchange(s.relist_again, false))
    relist(self);
  else
    arm(self);
}

} // namespace

observer_state::~observer_state() {
  if (config.monitor)
    config.monitor->stop();
}

observer_actor::behavior_type observer(self_pointer self, observer_config config) {
  self->state.config = std::move(config);
  self->state.config.monitor->start(
    [me = caf::actor_cast<caf::weak_actor_ptr>(self)](std::string t) {
      if (auto strong = caf::actor_cast<observer_actor>(me))
        caf::anon_send(strong, runtime_hinted{std::move(t)});
    });
  return {
    [self](targets_changed& what) { on_targets(self, what); },
    [self](const runtime_hinted& what) { on_hint(self, what.target); },
    [self](const operation_finished& what) { on_finished(self, what); },
    [self](timer_due) {
      if (rings(self, self->state.next_relist, timer_due{}))
        relist(self);
    },
    [self](stop_requested) { self->quit(); },
  };
}

} // namespace harmony

#include "unit/core/rig.hpp"

#include <sstream>

namespace harmony::test {

namespace {

std::string seconds(duration d) {
  std::ostringstream out;
  out << std::chrono::duration<double>{d}.count() << "s";
  return out.str();
}

template <class... Fs>
struct overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
overloaded(Fs...) -> overloaded<Fs...>;

std::string text(const std::vector<change>& changes) {
  std::string result;
  for (const auto& c : changes)
    result += (result.empty() ? "" : ", ") + std::string{name_of(c.what)} + " " + c.field;
  return result;
}

} // namespace

std::string text(resource_phase p) {
  return std::string{name_of(p)};
}

std::string text(const lifecycle_effect& effect, instant now) {
  const auto number = [](std::uint64_t n) { return "#" + std::to_string(n); };
  return std::visit(overloaded{
                      [&](const fx::observe& e) { return "observe" + number(e.operation); },
                      [&](const fx::apply& e) {
                        return "apply" + number(e.operation) + "(" + text(e.changes) + ")";
                      },
                      [&](const fx::remove& e) { return "remove" + number(e.operation); },
                      [&](const fx::cancel& e) { return "cancel" + number(e.operation); },
                      [&](const fx::arm& e) { return "arm+" + seconds(e.at - now); },
                      [](const fx::start_probes&) { return std::string{"start probes"}; },
                      [](const fx::stop_probes&) { return std::string{"stop probes"}; },
                      [](const fx::publish&) { return std::string{"publish"}; },
                    },
                    effect);
}

std::string rig::on(const lifecycle_event& e) {
  auto next = step(state, e, context);
  state = std::move(next.state);
  effects = std::move(next.effects);
  auto result = text(state.phase);
  const auto* separator = ": ";
  for (const auto& each : effects) {
    if (std::holds_alternative<fx::publish>(each))
      continue;
    result += separator + text(each, context.now);
    separator = ", ";
  }
  return result;
}

std::string rig::fire() {
  context.now = *state.next_retry;
  return on(ev::timer{state.timer_epoch});
}

ev::desired want(const std::string& desire, const std::string& probes,
                 const std::string& waiting_for) {
  return {desire, "sha256:" + desire, probes, needs(waiting_for)};
}

ev::dependencies needs(const std::string& waiting_for) {
  return {waiting_for.empty(), waiting_for};
}

rig ready_rig(const std::string& probes) {
  rig m;
  m.on(want("a", probes));
  m.differs();
  m.applied();
  m.equal();
  if (!probes.empty())
    m.on(ev::probed{ev::verdict::ready, ""});
  return m;
}

} // namespace harmony::test

#include "apps/ctl/publish.hpp"

#include <optional>

namespace harmony::ctl {

namespace {

constexpr int most_attempts = 8;

/// What stands in the store at the moment.
struct current_state {
  std::optional<manifest> value;
  std::uint64_t revision = 0;
  generation_number newest = 0; ///< that the store holds or the agent observed
};

generation_number raw_generation(const std::string& text) {
  const auto document = json::parse(text, nullptr, false);
  if (!document.is_object() || !document.contains("metadata") || !document["metadata"].is_object())
    return 0;
  const auto& metadata = document["metadata"];
  const auto found = metadata.find("generation");
  return found != metadata.end() && found->is_number_unsigned() ? found->get<generation_number>()
                                                                : 0;
}

/// The agent refuses generations that it has passed already, even when its manifest was deleted
/// meanwhile.
generation_number observed_generation(store& from, const std::string& agent, const budget& time) {
  const auto entry = from.get(bucket::actual_state, agent, time.left());
  if (!entry || !*entry)
    return 0;
  const auto status = read_status((*entry)->value);
  return status ? status->observed_generation : 0;
}

outcome<current_state> read_current(store& from, const std::string& agent, bool force,
                                    const budget& time) {
  auto stored = read_desired(from, agent, time.left());
  current_state now;
  if (stored) {
    if (*stored) {
      now.value = std::move((*stored)->value);
      now.revision = (*stored)->revision;
      now.newest = now.value->metadata.generation;
    }
  } else if (stored.error().code == ec::invalid_document && force) {
    const auto raw = from.get(bucket::desired_state, agent, time.left());
    if (!raw)
      return raw.error();
    if (*raw) {
      now.revision = (*raw)->revision;
      now.newest = raw_generation((*raw)->value);
    }
  } else {
    auto why = stored.error();
    if (why.code == ec::invalid_document)
      why.message += "; --force overwrites it";
    return why;
  }
  now.newest = std::max(now.newest, observed_generation(from, agent, time));
  return now;
}

/// A put whose reply was lost is made again with the same arguments, which the store recognises.
outcome<std::uint64_t> put_surely(store& to, const std::string& agent, const std::string& text,
                                  std::uint64_t expected, const budget& time) {
  constexpr milliseconds one_try{3'000};
  for (;;) {
    auto done =
      to.put(bucket::desired_state, agent, text, expected, std::min(one_try, time.left()));
    if (done || done.error().code != ec::timed_out || time.left().count() == 0)
      return done;
  }
}

} // namespace

outcome<publication> publish(store& to, const publish_request& request, const budget& time) {
  const auto& agent = request.value.metadata.agent;
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    auto current = read_current(to, agent, request.force, time);
    if (!current)
      return current.error();
    auto next = request.value;
    next.metadata.generation = current->newest + 1;
    next.metadata.issued_at = request.now;
    publication result;
    result.plan = plan_of(current->value ? &*current->value : nullptr, next);
    // The same content under a generation that the agent has passed must be written anew.
    result.unchanged = current->value && current->value->metadata.generation == current->newest
                       && content_hash(*current->value) == content_hash(next);
    if (result.unchanged && !request.force) {
      result.plan.to = result.plan.from;
      return result;
    }
    if (request.dry_run)
      return result;
    const auto done = put_surely(to, agent, write_manifest(next), current->revision, time);
    if (done) {
      result.written = true;
      return result;
    }
    if (done.error().code != ec::conflict)
      return failure{done.error().code,
                     "cannot write the manifest of '" + agent + "': " + done.error().message};
  }
  return {ec::conflict, "gave up writing the manifest of '" + agent + "' after "
                          + std::to_string(most_attempts)
                          + " attempts: others keep writing it; find out who, and try again"};
}

} // namespace harmony::ctl

#include "apps/ctl/publish.hpp"

#include <algorithm>
#include <optional>

namespace harmony::ctl {

namespace {

constexpr int most_attempts = 8;

/// What stands in the store at the moment.
struct current_state {
  std::optional<manifest> value;
  sealed_document document; ///< that `value` was read from
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
      now.document = std::move((*stored)->document);
      now.revision = (*stored)->revision;
      now.newest = now.value->metadata.generation;
    }
  } else if (stored.error().code == ec::invalid_document && force) {
    const auto raw = from.get(bucket::desired_state, agent, time.left());
    if (!raw)
      return raw.error();
    if (*raw) {
      now.revision = (*raw)->revision;
      now.newest = raw_generation(unseal((*raw)->value).payload);
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

/// What publishing would write.
struct next_document {
  publication result;
  std::string text;
};

bool signed_by_all(const sealed_document& document, const std::vector<secret_key>& keys) {
  const auto ids = signers_of(document);
  return std::all_of(keys.begin(), keys.end(),
                     [&](const secret_key& k) { return ids.count(key_id_of(k.pub().key)) != 0; });
}

/// What was signed elsewhere, as it is, with further signatures.
outcome<next_document> next_sealed(const current_state& current, const publish_request& request) {
  const auto& about = request.value.metadata;
  const bool same = current.value && current.document.payload == request.sealed->payload;
  if (!same && about.generation <= current.newest)
    return {ec::generation_regressed,
            "generation " + std::to_string(about.generation) + " of '" + about.agent
              + "' is signed and cannot be counted up, and generation "
              + std::to_string(current.newest)
              + " was there already: sign it anew with 'harmonyctl sign --generation "
              + std::to_string(current.newest + 1) + "'"};
  const auto* there = current.document.seal ? &*current.document.seal : nullptr;
  const auto next = sealed(request.sealed->payload, {there, &*request.sealed}, request.keys);
  next_document d;
  d.result.plan = plan_of(current.value ? &*current.value : nullptr, request.value);
  d.result.unchanged = same;
  d.result.cosigned = same && (there == nullptr || next.signatures != there->signatures);
  d.text = write_envelope(next);
  return d;
}

/// `request.value` as the next generation, or the one that is there with more signatures.
next_document next_counted(const current_state& current, const publish_request& request) {
  auto next = request.value;
  next.metadata.generation = current.newest + 1;
  next.metadata.issued_at = request.now;
  next_document d;
  d.result.plan = plan_of(current.value ? &*current.value : nullptr, next);
  // The same content under a generation that the agent has passed must be written anew.
  d.result.unchanged = current.value && current.value->metadata.generation == current.newest
                       && content_hash(*current.value) == content_hash(next);
  d.result.cosigned = d.result.unchanged && !signed_by_all(current.document, request.keys);
  const auto* there = current.document.seal ? &*current.document.seal : nullptr;
  if (d.result.cosigned)
    d.text = write_envelope(sealed(current.document.payload, {there}, request.keys));
  else if (request.keys.empty())
    d.text = write_manifest(next);
  else
    d.text = write_envelope(sealed(write_manifest(next), {}, request.keys));
  return d;
}

/// Why the document is not to be written; nothing: it is.
std::optional<failure> objection(const current_state& current, const publish_request& request,
                                 const next_document& next) {
  if (next.text.size() > max_document_bytes)
    return failure{ec::document_too_large,
                   "signed, the manifest of '" + request.value.metadata.agent + "' has "
                     + std::to_string(next.text.size()) + " bytes, and a document at most "
                     + std::to_string(max_document_bytes)};
  if (current.document.seal && !request.force && !may_be_envelope(next.text))
    return failure{ec::unsigned_document,
                   "the manifest of '" + request.value.metadata.agent
                     + "' in the store is signed, and this one would not be: give --key FILE; "
                       "'harmonyctl apply --force' writes it all the same"};
  return {};
}

} // namespace

outcome<publication> publish(store& to, const publish_request& request, const budget& time) {
  const auto& agent = request.value.metadata.agent;
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    auto current = read_current(to, agent, request.force, time);
    if (!current)
      return current.error();
    auto next = request.sealed ? next_sealed(*current, request)
                               : outcome<next_document>{next_counted(*current, request)};
    if (!next)
      return next.error();
    auto& result = next->result;
    const bool nothing_new = result.unchanged && !result.cosigned;
    if (result.cosigned || (nothing_new && !request.force))
      result.plan.to = result.plan.from;
    if (request.dry_run || (nothing_new && !request.force))
      return result;
    if (auto why = objection(*current, request, *next))
      return std::move(*why);
    const auto done = put_surely(to, agent, next->text, current->revision, time);
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

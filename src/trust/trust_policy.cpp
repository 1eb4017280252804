#include "trust/trust_policy.hpp"

#include <algorithm>

namespace harmony {

namespace {

std::string names_of(const std::vector<named_key>& keys) {
  std::string text;
  for (const auto& each : keys)
    text += (text.empty() ? "" : ", ") + each.name;
  return text;
}

/// Key ids of an envelope that are of no pinned key, shortened.
std::string strangers(const envelope& e, const std::vector<named_key>& keys) {
  constexpr std::size_t shown = 12;
  std::string text;
  for (const auto& s : e.signatures) {
    const bool pinned = std::any_of(
      keys.begin(), keys.end(), [&](const named_key& k) { return key_id_of(k.key) == s.key_id; });
    if (!pinned && !s.key_id.empty())
      text += (text.empty() ? "" : ", ") + s.key_id.substr(0, shown);
  }
  return text;
}

failure too_few(const envelope& e, const trust_policy& policy,
                const std::vector<named_key>& signers) {
  auto text = "signed by " + (signers.empty() ? std::string{"none"} : "only " + names_of(signers))
              + " of " + names_of(policy.keys) + ", and " + std::to_string(policy.threshold)
              + (policy.threshold == 1 ? " is" : " are") + " needed";
  if (const auto others = strangers(e, policy.keys); !others.empty())
    text += "; its other signatures name keys that are not pinned here: " + others;
  return {ec::signature_invalid, text + "; sign it with 'harmonyctl sign --key FILE'"};
}

} // namespace

std::string describe(const trust_policy& policy) {
  return std::to_string(policy.threshold) + " of " + std::to_string(policy.keys.size())
         + (policy.keys.size() == 1 ? " pinned key (" : " pinned keys (") + names_of(policy.keys)
         + ")";
}

outcome<opened_document> open_document(std::string_view document, const trust_policy& policy) {
  if (policy.keys.empty() && !may_be_envelope(document))
    return opened_document{std::string{document}, {}};
  auto e = read_envelope(document);
  if (!e && e.error().code == ec::unsigned_document && policy.keys.empty())
    return opened_document{std::string{document}, {}};
  if (!e && e.error().code == ec::unsigned_document)
    return {ec::unsigned_document,
            "the manifest is not signed, and this device wants the signatures of "
              + describe(policy) + "; apply it with 'harmonyctl apply --key FILE'"};
  if (!e)
    return e.error();
  if (e->type != manifest_payload_type)
    return {ec::invalid_document, "payloadType: expected '" + std::string{manifest_payload_type}
                                    + "', got '" + e->type + "'"};
  if (policy.keys.empty())
    return opened_document{std::move(e->payload), {}};
  auto signers = signers_of(*e, policy.keys);
  if (signers.size() < policy.threshold)
    return too_few(*e, policy, signers);
  return opened_document{std::move(e->payload), std::move(signers)};
}

} // namespace harmony

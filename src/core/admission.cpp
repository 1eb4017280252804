#include "core/admission.hpp"

#include <tuple>

#include "core/freshness.hpp"

namespace harmony {

namespace {

constexpr std::size_t shown_issues = 5;

failure first_issues(const std::vector<issue>& issues) {
  failure why{ec::invalid_document, {}};
  for (std::size_t i = 0; i < issues.size() && i < shown_issues; ++i) {
    const auto& each = issues[i];
    if (i == 0)
      why.code = each.code;
    else
      why.message += "; ";
    why.message += each.path.empty() ? each.message : each.path + ": " + each.message;
  }
  if (issues.size() > shown_issues)
    why.message += "; and " + std::to_string(issues.size() - shown_issues) + " more";
  return why;
}

std::string number(generation_number n) {
  return std::to_string(n);
}

/// Why `m` may not follow what was accepted before; nothing: it may.
std::optional<failure> regression(const accepted_mark& offered, const accepted_mark& before) {
  const auto regressed = [](std::string message) {
    return failure{ec::generation_regressed, std::move(message)};
  };
  if (offered.key_epoch < before.key_epoch)
    return regressed("metadata.keyEpoch: " + number(offered.key_epoch)
                     + " is older than the accepted " + number(before.key_epoch)
                     + "; apply with the present key epoch");
  const auto order = [](const accepted_mark& m) { return std::tie(m.key_epoch, m.generation); };
  if (order(offered) < order(before))
    return regressed("metadata.generation: " + number(offered.generation)
                     + " is older than the accepted " + number(before.generation)
                     + "; apply with a higher generation");
  if (order(offered) == order(before))
    return regressed("metadata.generation: " + number(offered.generation)
                     + " was accepted with other content; apply with a higher generation");
  return {};
}

} // namespace

std::variant<admission_accepted, admission_refused> admit_again(std::string_view document,
                                                                const admission_terms& terms) {
  auto opened = open_document(document, terms.trust);
  if (!opened)
    return admission_refused{opened.error(), 0};
  auto reading = read_manifest(opened->payload);
  if (!reading.value)
    return admission_refused{first_issues(reading.issues), 0};
  const auto& about = reading.value->metadata;
  if (about.agent != terms.agent)
    return admission_refused{{ec::wrong_agent, "metadata.agent: the manifest is for '" + about.agent
                                                 + "', this device is '" + terms.agent + "'"},
                             about.generation};
  if (about.key_epoch < terms.trust.epoch)
    return admission_refused{
      {ec::generation_regressed, "metadata.keyEpoch: " + number(about.key_epoch) + " is older than "
                                   + number(terms.trust.epoch)
                                   + ", the lowest that this device's configuration takes; apply "
                                     "with the present key epoch"},
      about.generation};
  accepted_mark mark{about.key_epoch, about.generation, sha256_hex(opened->payload)};
  return admission_accepted{std::move(*reading.value), std::move(mark), std::move(opened->signers)};
}

admission admit(std::string_view document, const admission_terms& terms,
                const std::optional<accepted_mark>& before, timestamp now) {
  auto judged = admit_again(document, terms);
  if (auto* refused = std::get_if<admission_refused>(&judged))
    return std::move(*refused);
  auto& offered = std::get<admission_accepted>(judged);
  if (before && offered.mark.hash == before->hash)
    return admission_known{};
  const auto& about = offered.value.metadata;
  if (before)
    if (auto why = regression(offered.mark, *before))
      return admission_refused{std::move(*why), about.generation};
  if (freshness_of(about, now) == freshness::expired)
    return admission_refused{{ec::expired, "metadata.expiresAt: the manifest expired at "
                                             + format_time(*about.expires_at) + "; issue it again"},
                             about.generation};
  return std::move(offered);
}

} // namespace harmony

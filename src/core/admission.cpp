#include "core/admission.hpp"

#include <tuple>

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

} // namespace

admission admit(std::string_view document, std::string_view agent,
                const std::optional<accepted_mark>& before, timestamp now) {
  const auto hash = document.size() > max_document_bytes ? std::string{} : sha256_hex(document);
  if (before && before->hash == hash)
    return admission_known{};

  auto reading = read_manifest(document);
  if (!reading.value)
    return admission_refused{first_issues(reading.issues), 0};
  auto& m = *reading.value;
  const auto generation = m.metadata.generation;
  const auto refuse = [&](ec code, std::string message) {
    return admission_refused{{code, std::move(message)}, generation};
  };

  if (m.metadata.agent != agent)
    return refuse(ec::wrong_agent, "metadata.agent: the manifest is for '" + m.metadata.agent
                                     + "', this device is '" + std::string{agent} + "'");
  if (before) {
    const auto old = std::tie(before->key_epoch, before->generation);
    const auto offered = std::tie(m.metadata.key_epoch, generation);
    if (m.metadata.key_epoch < before->key_epoch)
      return refuse(ec::generation_regressed, "metadata.keyEpoch: " + number(m.metadata.key_epoch)
                                                + " is older than the accepted "
                                                + number(before->key_epoch)
                                                + "; apply with the present key epoch");
    if (offered < old)
      return refuse(ec::generation_regressed,
                    "metadata.generation: " + number(generation) + " is older than the accepted "
                      + number(before->generation) + "; apply with a higher generation");
    if (offered == old)
      return refuse(ec::generation_regressed,
                    "metadata.generation: " + number(generation)
                      + " was accepted with other content; apply with a higher generation");
  }
  if (m.metadata.expires_at && *m.metadata.expires_at <= now)
    return refuse(ec::expired, "metadata.expiresAt: the manifest expired at "
                                 + format_time(*m.metadata.expires_at));
  accepted_mark mark{m.metadata.key_epoch, generation, hash};
  return admission_accepted{std::move(m), std::move(mark)};
}

} // namespace harmony

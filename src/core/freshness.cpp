#include "core/freshness.hpp"

#include <algorithm>

namespace harmony {

namespace {

std::string named(const manifest_metadata& about) {
  return "generation " + std::to_string(about.generation);
}

} // namespace

freshness freshness_of(const manifest_metadata& about, timestamp now) {
  if (!about.expires_at)
    return freshness::lasting;
  if (*about.expires_at <= std::max(now, earliest_time))
    return freshness::expired;
  const bool wrong = now < earliest_time || (about.issued_at && now < *about.issued_at);
  return wrong ? freshness::unknown : freshness::fresh;
}

std::optional<condition> stale_condition(const manifest_metadata* in_force, const failure* refused,
                                         timestamp now) {
  condition c{"DesiredStale", condition_state::true_, "Expired", {}, now};
  if (in_force != nullptr)
    c.observed_generation = in_force->generation;
  if (refused != nullptr && refused->code == ec::expired) {
    c.message = "the newest manifest was not taken, since it has expired; "
                + (in_force == nullptr ? std::string{"nothing is in force"}
                                       : named(*in_force) + " keeps running")
                + ": issue it again";
    return c;
  }
  switch (in_force == nullptr ? freshness::lasting : freshness_of(*in_force, now)) {
  case freshness::lasting: return {};
  case freshness::expired:
    c.message = named(*in_force) + " expired at " + format_time(*in_force->expires_at)
                + " and keeps running: issue a newer one";
    return c;
  case freshness::fresh:
    c.status = condition_state::false_;
    c.reason = "Fresh";
    c.message = named(*in_force) + " expires at " + format_time(*in_force->expires_at);
    return c;
  case freshness::unknown: break;
  }
  c.status = condition_state::unknown;
  c.reason = "ClockNotSet";
  c.message = named(*in_force) + " expires at " + format_time(*in_force->expires_at)
              + ", and whether that is past this device's clock cannot tell: it says "
              + format_time(now);
  return c;
}

condition verified_condition(const trust_policy& policy, generation_number generation,
                             const std::vector<named_key>& signers, timestamp now) {
  if (policy.keys.empty())
    return unverified_condition(policy, now);
  std::string names;
  for (const auto& each : signers)
    names += (names.empty() ? "" : ", ") + each.name;
  return {"ManifestVerified",
          condition_state::true_,
          "Signed",
          "generation " + std::to_string(generation) + " is signed by " + names + "; wanted are "
            + describe(policy),
          now,
          generation};
}

condition unverified_condition(const trust_policy& policy, timestamp now) {
  if (policy.keys.empty())
    return {"ManifestVerified", condition_state::false_, "NoPinnedKeys",
            "manifests are accepted without a signature", now};
  return {"ManifestVerified", condition_state::unknown, "NothingAccepted",
          "wanted are " + describe(policy), now};
}

} // namespace harmony

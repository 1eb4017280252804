#include "apps/agent/check_trust.hpp"

#include <array>
#include <cstdio>

namespace harmony {

namespace {

/// Clocks differ by less.
constexpr std::chrono::minutes doubtful{5};
constexpr std::size_t shown_digits = 12;

finding ok(std::string subject, std::string message) {
  return {verdict::ok, std::move(subject), std::move(message), {}};
}

std::string octal(unsigned mode) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", mode);
  return text.data();
}

/// "alice (21fe31dfa154), bob (…)": names, and what tells two keys of one name apart.
std::string keys_text(const trust_policy& policy) {
  std::string text;
  for (const auto& each : policy.keys)
    text += (text.empty() ? "" : ", ") + each.name + " ("
            + key_id_of(each.key).substr(0, shown_digits) + ")";
  return text;
}

finding judge_signatures(const trust_sight& t) {
  const auto subject = "signatures";
  if (t.policy.keys.empty() && t.local_store)
    return ok(subject, "are not asked for; the store is a folder of this device");
  if (t.policy.keys.empty())
    return {verdict::warn, subject,
            "are not asked for: whoever can write in the store commands this device",
            "pin the keys of those who may, in [trust] of agent.toml; docs/signing.md"};
  if (t.verified && t.verified->reason == "NoPinnedKeys")
    return {verdict::fail, subject, "are asked for in agent.toml, which the agent has not read yet",
            "systemctl restart harmony-agent"};
  if (t.verified && t.verified->status == condition_state::false_)
    return {verdict::fail, subject, t.verified->reason + ": " + t.verified->message,
            "sign the manifest in force with the keys that are pinned now, or apply a newer one; "
            "docs/signing.md"};
  const auto wanted = std::to_string(t.policy.threshold) + " of " + keys_text(t.policy)
                      + ", key epoch " + std::to_string(t.policy.epoch);
  if (t.stale && t.stale->status == condition_state::true_)
    return {verdict::warn, subject, "DesiredStale: " + t.stale->message,
            "issue the manifest again with a later expiresAt; docs/signing.md"};
  if (t.stale && t.stale->status == condition_state::unknown)
    return {verdict::warn, subject, "expiry cannot be judged: " + t.stale->message,
            "set the clock: timedatectl set-ntp true; docs/operations/clock-wrong.md"};
  return ok(subject, wanted);
}

/// Whoever may write in the folder can put another file in the place of agent.toml.
finding judge_config(const hands_sight& folder) {
  constexpr unsigned others_write = 022;
  if (folder.safe_owner && (folder.mode & others_write) == 0)
    return ok("config folder", "'" + folder.path + "' can be changed by its owner alone");
  return {verdict::fail, "config folder",
          "'" + folder.path + "' "
            + (folder.safe_owner ? "can be written by others (mode " + octal(folder.mode) + ")"
                                 : "belongs to another user")
            + ", who could put other rules and keys there",
          "chown root '" + folder.path + "'; chmod go-w '" + folder.path + "'"};
}

finding judge_device_key(const outcome<std::string>& key) {
  if (key)
    return ok("device key", *key + ", for its owner alone");
  const bool missing = key.error().code == ec::not_found;
  return {verdict::fail, "device key", key.error().message,
          missing ? "harmony-agent enroll makes it, and prints what an operator needs; "
                    "docs/nats-security.md"
                  : "mend what is said, or move it away and enroll anew; docs/nats-security.md"};
}

finding judge_jwt(const jwt_head& jwt, const trust_sight& t) {
  const auto subject = "credentials";
  const auto renew = "an operator renews them: harmonyctl credentials " + t.agent
                     + " --keys FOLDER --for KEY; docs/nats-security.md";
  if (jwt.name != t.agent)
    return {verdict::fail, subject,
            "are those of '" + jwt.name + "', and this is '" + t.agent + "'", renew};
  if (t.device_key && *t.device_key && **t.device_key != jwt.subject)
    return {verdict::fail, subject,
            "are for the key " + jwt.subject + ", which is not this device's", renew};
  if (jwt.issued > t.wall + doubtful)
    return {verdict::warn, subject,
            "were issued at " + format_time(jwt.issued) + ", later than this device's now",
            "set the clock: timedatectl set-ntp true; docs/operations/clock-wrong.md"};
  return judge_end(subject, "are those of '" + jwt.name + "'", jwt.expires, t.wall, renew);
}

finding judge_credentials(const trust_sight& t) {
  const auto& jwt = *t.credentials;
  if (jwt)
    return judge_jwt(*jwt, t);
  return {verdict::fail, "credentials", jwt.error().message,
          "mend what is said; an operator makes them: harmonyctl credentials " + t.agent
            + "; docs/nats-security.md"};
}

finding judge_certificate(const outcome<certificate_head>& c, timestamp now) {
  const auto subject = "certificate";
  const std::string renew = "put a new one and its key in the place of the old files: they count "
                            "from the next connection on; "
                            "docs/nats-security.md";
  if (!c)
    return {verdict::fail, subject, c.error().message, "mend what is said; docs/nats-security.md"};
  if (c->begins > now + doubtful)
    return {verdict::warn, subject,
            "begins at " + format_time(c->begins) + ", later than this device's now",
            "set the clock: timedatectl set-ntp true; docs/operations/clock-wrong.md"};
  return judge_end(subject, "is that of '" + c->subject + "'", c->ends, now, renew);
}

finding judge_sealing_key(const outcome<std::string>& fingerprint) {
  if (fingerprint)
    return ok("sealing key", "for its owner alone, fingerprint " + *fingerprint);
  if (fingerprint.error().code == ec::not_found)
    return ok("sealing key", "is made at the agent's first start");
  return {verdict::fail, "sealing key", fingerprint.error().message,
          "mend what is said; a key that is lost: docs/secrets.md"};
}

finding judge_secrets(const secrets_sight& s) {
  const auto subject = "secrets";
  constexpr unsigned others = 077;
  constexpr unsigned others_write = 022;
  if (!s.folder)
    return ok(subject, "there is no folder of them: a secretRef by file finds none");
  const auto name = "'" + s.folder->path + "'";
  if (!s.folder->safe_owner || (s.folder->mode & others) != 0)
    return {(s.folder->mode & others_write) != 0 || !s.folder->safe_owner ? verdict::fail
                                                                          : verdict::warn,
            subject,
            name
              + (s.folder->safe_owner ? " is open to others (mode " + octal(s.folder->mode) + ")"
                                      : " belongs to another user"),
            "chown root " + name + "; chmod 0700 " + name};
  if (!s.faults.empty()) {
    const auto more = s.faults.size() - 1;
    return {verdict::warn, subject,
            s.faults.front() + (more == 0 ? "" : "; and " + std::to_string(more) + " more files"),
            "files of mode 0600 that are the agent's user's; docs/secrets.md"};
  }
  return ok(subject, std::to_string(s.files) + (s.files == 1 ? " file" : " files") + " in " + name
                       + ", for their owner alone");
}

finding judge_audit(const trust_sight& t) {
  const auto subject = "audit log";
  if (!t.audit && t.audit.error().code == ec::not_found && !t.running)
    return ok(subject, "is begun at the agent's first start");
  if (!t.audit)
    return {verdict::fail, subject, t.audit.error().message,
            "if nobody removed it, look at the disk; docs/operations/disk-full.md"};
  const auto& v = *t.audit;
  if (!v.intact)
    return {verdict::fail, subject, "is not as it was written: " + v.fault,
            "keep a copy of " + t.state_dir
              + "/audit.log* and the journal before anything else; docs/security.md"};
  const auto head = std::to_string(v.records) + " records, intact"
                    + (v.head.sequence == 0 ? ""
                                            : "; head " + std::to_string(v.head.sequence) + ":"
                                                + v.head.hash.substr(0, shown_digits) + "…");
  if (v.lost != 0)
    return {verdict::warn, subject, head + ", but " + std::to_string(v.lost) + " could not be kept",
            "the disk was full for long: harmony-agent audit show; docs/operations/disk-full.md"};
  return ok(subject, head);
}

} // namespace

findings judge(const trust_sight& t) {
  findings all{judge_signatures(t)};
  if (t.config)
    all.push_back(judge_config(*t.config));
  if (t.device_key)
    all.push_back(judge_device_key(*t.device_key));
  if (t.credentials)
    all.push_back(judge_credentials(t));
  if (t.certificate)
    all.push_back(judge_certificate(*t.certificate, t.wall));
  all.push_back(judge_sealing_key(t.sealing_key));
  all.push_back(judge_secrets(t.secrets));
  all.push_back(judge_audit(t));
  return all;
}

} // namespace harmony

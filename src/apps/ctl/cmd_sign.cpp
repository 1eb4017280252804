// sign and verify: envelopes without a store.
#include <algorithm>
#include <fstream>
#include <istream>
#include <ostream>

#include "apps/ctl/commands.hpp"
#include "apps/ctl/key_files.hpp"
#include "apps/ctl/sealed.hpp"
#include "trust/trust_policy.hpp"

namespace harmony::ctl {

namespace {

constexpr std::size_t shown_digits = 12; ///< of a key id

/// What is signed, for the person who signs it.
std::string subject_of(const manifest& m) {
  const auto count = m.resources.size() + m.rejected.size();
  return "generation " + std::to_string(m.metadata.generation) + " of '" + m.metadata.agent + "' ("
         + std::to_string(count) + (count == 1 ? " resource" : " resources")
         + (m.metadata.key_epoch == 1 ? "" : ", key epoch " + std::to_string(m.metadata.key_epoch))
         + (m.metadata.expires_at ? ", expires " + format_time(*m.metadata.expires_at) : "") + ")";
}

/// The one manifest of the file, numbered: its generation cannot change once it is signed.
outcome<loaded_manifest> numbered(loaded_manifest m, generation_number generation, timestamp now) {
  auto& about = m.value.metadata;
  if (m.sealed && generation != 0 && generation != about.generation)
    return {ec::invalid_document, "'" + m.source + "' is signed as generation "
                                    + std::to_string(about.generation)
                                    + ", which cannot change any more"};
  if (m.sealed)
    return m;
  if (generation != 0)
    about.generation = generation;
  else if (!m.numbered)
    return {ec::invalid_document, "'" + m.source
                                    + "' has no metadata.generation, and a signature covers it: "
                                      "give --generation NUMBER, above that in 'harmonyctl "
                                      "history "
                                    + about.agent + "'"};
  if (!about.issued_at)
    about.issued_at = now;
  return m;
}

outcome<void> write_file(const std::string& file, const std::string& text) {
  std::ofstream out{file, std::ios::binary | std::ios::trunc};
  out << text << std::flush;
  if (!out)
    return {ec::io_error, "cannot write '" + file + "'"};
  return {};
}

/// Everybody whose signature counts by these options.
outcome<trust_policy> policy_of(const verify_options& o) {
  trust_policy policy;
  if (!o.trust.empty()) {
    auto text = read_text(o.trust);
    if (!text)
      return text.error();
    auto read = read_trust(*text, o.trust);
    if (!read)
      return read.error();
    policy = std::move(*read);
    if (policy.keys.empty())
      return {ec::invalid_spec, "'" + o.trust + "' pins no keys: it has no table [trust]"};
  }
  for (const auto& file : o.keys) {
    auto key = load_public_key(file);
    if (!key)
      return key.error();
    if (std::none_of(policy.keys.begin(), policy.keys.end(),
                     [&](const named_key& k) { return k.key == key->key; }))
      policy.keys.push_back(std::move(*key));
  }
  if (o.threshold != 0)
    policy.threshold = o.threshold;
  if (policy.threshold > policy.keys.size())
    return {ec::invalid_spec, "--threshold: " + std::to_string(policy.threshold)
                                + " signatures cannot come from "
                                + std::to_string(policy.keys.size()) + " keys"};
  return policy;
}

json value_of(const envelope& e, const trust_policy& policy,
              const std::vector<named_key>& signers) {
  auto keys = json::array();
  for (const auto& k : policy.keys)
    keys.push_back({{"name", k.name},
                    {"keyId", key_id_of(k.key)},
                    {"signed", std::find(signers.begin(), signers.end(), k) != signers.end()}});
  auto named = json::array();
  for (const auto& s : e.signatures)
    named.push_back(s.key_id);
  return {{"verified", signers.size() >= policy.threshold},
          {"threshold", policy.threshold},
          {"keys", std::move(keys)},
          {"signatures", std::move(named)},
          {"payloadSha256", sha256_hex(e.payload)}};
}

std::string text_of(const envelope& e, const trust_policy& policy,
                    const std::vector<named_key>& signers) {
  std::string text;
  for (const auto& k : policy.keys)
    text += (std::find(signers.begin(), signers.end(), k) != signers.end() ? "signed      "
                                                                           : "not signed  ")
            + k.name + "  " + key_id_of(k.key).substr(0, shown_digits) + "\n";
  for (const auto& s : e.signatures)
    if (std::none_of(policy.keys.begin(), policy.keys.end(),
                     [&](const named_key& k) { return key_id_of(k.key) == s.key_id; }))
      text += "unknown     " + printable(s.key_id.substr(0, shown_digits)) + "\n";
  return text + std::to_string(signers.size()) + " of " + std::to_string(policy.threshold)
         + " needed signatures\n";
}

} // namespace

exit_code run(const context& c, const sign_options& o) {
  const auto keys = load_secret_keys(o.keys);
  if (!keys)
    return c.fail(exit_code::failure, keys.error().message);
  auto read = load(c, {o.file}, "");
  if (read.code != exit_code::ok)
    return read.code;
  if (read.manifests.size() != 1)
    return c.fail(exit_code::invalid_document,
                  "'" + o.file + "' has " + std::to_string(read.manifests.size())
                    + " manifests, and an envelope has one: split the file");
  const auto now = std::chrono::floor<milliseconds>(c.env.now());
  const auto m = numbered(std::move(read.manifests.front()), o.generation, now);
  if (!m)
    return c.fail(m.error());
  const auto payload = m->sealed ? m->sealed->payload : write_manifest(m->value);
  const auto document = write_envelope(sealed(payload, {m->sealed ? &*m->sealed : nullptr}, *keys));
  if (document.size() > max_document_bytes)
    return c.fail(exit_code::invalid_document,
                  "signed it would have " + std::to_string(document.size())
                    + " bytes, and a document at most " + std::to_string(max_document_bytes));
  if (o.into.empty())
    c.print(document);
  else if (const auto done = write_file(o.into, document); !done)
    return c.fail(done.error());
  std::string names;
  for (const auto& k : *keys)
    names += (names.empty() ? "" : ", ") + k.pub().name;
  c.env.err << subject_of(m->value) << " signed by " << names << "\n" << std::flush;
  return exit_code::ok;
}

exit_code run(const context& c, const verify_options& o) {
  const auto policy = policy_of(o);
  if (!policy)
    return c.fail(exit_code::failure, policy.error().message);
  const auto text = o.file == "-" ? outcome<std::string>{read_text(c.env.in)} : read_text(o.file);
  if (!text)
    return c.fail(text.error());
  const auto e = read_envelope(*text);
  if (!e)
    return c.fail(exit_code_of(e.error().code), "'" + o.file + "': " + e.error().message);
  const auto signers = signers_of(*e, policy->keys);
  const auto opened = open_document(*text, *policy);
  if (c.as_table())
    c.print(text_of(*e, *policy, signers));
  else
    c.print_value(value_of(*e, *policy, signers));
  if (!opened) // only now may what is in it be looked at
    return c.fail(exit_code_of(opened.error().code), "'" + o.file + "': " + opened.error().message);
  const auto reading = read_manifest(opened->payload);
  if (!reading.value)
    return c.fail(exit_code::invalid_document,
                  "'" + o.file
                    + "' is well signed, and its manifest is not valid: see 'harmonyctl "
                      "validate'");
  if (c.as_table())
    c.print("verified: " + subject_of(*reading.value) + "\n");
  return exit_code::ok;
}

} // namespace harmony::ctl

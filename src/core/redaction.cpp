#include "core/redaction.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <nlohmann/json.hpp>

namespace harmony {

namespace {

using json = nlohmann::ordered_json;

constexpr std::string_view taken_out = "(redacted)";

/// Fields of a manifest whose text says nothing that others must not see. All others are taken out,
/// with all below them, and so are those that later versions add.
constexpr std::array harmless{
  // of the document
  "apiVersion", "kind", "metadata", "spec", "agent", "generation", "issuedAt", "expiresAt",
  "scores", "resources", "id", "name", "version", "origin", "dependsOn", "restartOn", "condition",
  "onRemove", "reason",
  // of files, units, packages and accounts
  "path", "mode", "owner", "group", "source", "sha256", "unit", "state", "package", "user",
  "groups", "home", "shell",
  // of secrets: what names them
  "secretRef", "file", "credential",
  // of containers and jobs
  "image", "pullPolicy", "ports", "protocol", "hostIp", "mounts", "target", "network", "memory",
  "workingDir", "creates", "writablePaths", "probes", "readiness", "liveness", "startup", "tcp",
  "host", "exec",
  // of the network
  "link", "type", "parent", "members", "addresses", "routes", "to", "via",
  // of members of PostgreSQL clusters
  "cluster", "member", "dataDir", "profile", "maxLag", "rejoin", "replication", "endpoint",
  "address"};

bool is_harmless(std::string_view field) {
  return std::any_of(harmless.begin(), harmless.end(),
                     [&](std::string_view each) { return each == field; });
}

std::string dump(const json& value, int indent) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

std::string summary_of(const std::string& text) {
  return std::string{taken_out} + " " + std::to_string(text.size()) + " bytes";
}

/// Takes the texts out of `value`, unless they are to be kept.
void redact(json& value, bool keep, std::vector<std::string>& secrets) {
  if (value.is_string() && !keep) {
    secrets.push_back(value.get<std::string>());
    value = summary_of(secrets.back());
  } else if (value.is_array()) {
    for (auto& each : value)
      redact(each, keep, secrets);
  } else if (value.is_object()) {
    for (auto& [field, each] : value.items())
      if (field == "secretEnv" && each.is_object()) // by names of variables
        for (auto& ref : each)
          redact(ref, keep, secrets);
      else if (field != "labels") // names that operators give
        redact(each, keep && is_harmless(field), secrets);
  }
}

/// Takes commands and what programs printed out of a document, and from the rest what `known`
/// remembers.
void redact_record(json& value, const redactor& known) {
  if (value.is_string())
    value = known.scrub(value.get<std::string>());
  else if (value.is_array())
    for (auto& each : value)
      redact_record(each, known);
  else if (value.is_object())
    for (auto& [field, each] : value.items()) {
      const bool printed = (field == "stdout" || field == "stderr") && each.is_string();
      if (printed && !each.get_ref<const std::string&>().empty())
        each = summary_of(each.get<std::string>());
      else if (field == "command" && each.is_array() && each.size() > 1)
        each = json::array(
          {each.front(), std::to_string(each.size() - 1) + " more " + std::string{taken_out}});
      else
        redact_record(each, known);
    }
}

} // namespace

void redactor::learn(std::string_view secret) {
  while (!secret.empty() && secret.back() == '\n')
    secret.remove_suffix(1);
  if (secret.size() >= shortest && secret.find('\n') == std::string_view::npos)
    secrets_.emplace(secret);
}

std::string redactor::sealed_manifest(const envelope& e) {
  const auto inner = manifest(e.payload);
  auto payload = json::parse(inner, nullptr, false);
  auto signers = json::array();
  for (const auto& s : e.signatures)
    signers.push_back(s.key_id);
  return dump({{"payloadType", e.type},
               {"payload", payload.is_discarded() ? json(inner) : std::move(payload)},
               {"signatures", std::move(signers)}},
              2);
}

std::string redactor::manifest(std::string_view document) {
  if (may_be_envelope(document))
    if (const auto e = read_envelope(document))
      return sealed_manifest(*e);
  auto value = json::parse(document, nullptr, false);
  if (value.is_discarded())
    return "no JSON, " + std::to_string(document.size()) + " bytes " + std::string{taken_out};
  std::vector<std::string> secrets;
  redact(value, true, secrets);
  for (const auto& each : secrets)
    learn(each);
  return dump(value, 2);
}

std::string redactor::record(std::string_view document) const {
  auto value = json::parse(document, nullptr, false);
  if (!value.is_object())
    return scrub(std::string{document});
  redact_record(value, *this);
  return dump(value, -1);
}

std::string redactor::scrub(std::string text) const {
  for (const auto& secret : secrets_)
    for (auto at = text.find(secret); at != std::string::npos;
         at = text.find(secret, at + taken_out.size()))
      text.replace(at, secret.size(), taken_out);
  return text;
}

} // namespace harmony

#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/ids.hpp"
#include "model/outcome.hpp"
#include "model/specs.hpp"

namespace harmony {

/// Wall-clock time as it stands in documents (RFC 3339, UTC, milliseconds).
using timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

/// Limits of a manifest, checked before they cost anything.
inline constexpr std::size_t max_document_bytes = 1 << 20;
inline constexpr std::size_t max_resources = 1000;
inline constexpr std::size_t max_depth = 32;

struct manifest_metadata {
  std::string agent;                ///< the device that this manifest is for
  generation_number generation = 0; ///< 1 or more
  std::uint32_t key_epoch = 1;
  std::optional<timestamp> issued_at;
  std::optional<timestamp> expires_at;
  std::map<std::string, std::string> labels;

  friend bool operator==(const manifest_metadata&, const manifest_metadata&) = default;
};

/// What a prerequisite must have reached.
enum class dependency_condition {
  ready,     ///< in place, and its probes pass
  applied,   ///< in place, whatever its probes say
  completed, ///< a ShellJob: it ran to its end with success
};

/// "ready", "applied", "completed": the wire name.
std::string_view name_of(dependency_condition c) noexcept;

struct dependency {
  resource_id id;
  dependency_condition condition = dependency_condition::ready;

  // NOLINTNEXTLINE(modernize-use-nullptr): as of resource_id
  friend auto operator<=>(const dependency&, const dependency&) = default;
};

/// What becomes of a thing on the device when its resource leaves the manifest.
enum class removal_policy { remove, retain };

/// One managed thing.
struct resource {
  resource_id id;
  std::vector<dependency> depends_on;                ///< applied first only when all of these hold
  std::vector<resource_id> restart_on;               ///< restarted when one of these was changed
  probe_set probes;                                  ///< not hashed: a new probe restarts nothing
  removal_policy on_remove = removal_policy::remove; ///< not hashed
  std::string origin; ///< the class, rollout or person it came from; not hashed
  resource_spec spec;
  std::string revision; ///< "sha256:" + hex of the canonical spec

  friend bool operator==(const resource&, const resource&) = default;
};

/// One fault of a document: where (`spec.resources[3].spec.mode`) and what.
struct issue {
  std::string path;
  std::string message;
  ec code = ec::invalid_document;

  friend bool operator==(const issue&, const issue&) = default;
};

/// A resource that has an id and cannot be accepted. The others of its manifest can.
struct rejected_resource {
  resource_id id;
  ec code = ec::invalid_spec;
  std::string message; ///< its issues, `path: message`, joined by "; ", about 1000 bytes at most
  std::string origin;

  friend bool operator==(const rejected_resource&, const rejected_resource&) = default;
};

struct manifest {
  manifest_metadata metadata;
  /// `progressDeadlineSeconds`, 0..604800: how long the generation may take to become ready; then
  /// the device goes back to the last one that converged. 0: as long as it takes.
  std::uint32_t progress_deadline = 600;
  std::vector<resource> resources;
  std::vector<rejected_resource> rejected;

  friend bool operator==(const manifest&, const manifest&) = default;
};

/// What reading a manifest yields: the manifest where the document as a whole can be accepted, and
/// every issue found, those of single resources among them.
struct manifest_reading {
  std::optional<manifest> value;
  std::vector<issue> issues;
};

/// Reads and validates a manifest from JSON. Total: any bytes give a reading, never an exception.
///
/// Issues of one resource that has a proper kind and name (a bad spec, an unknown kind, a duplicate
/// id, a duplicate target, an unknown dependency, a cycle) put it into `manifest::rejected`; any
/// other issue leaves `value` empty. A client that wants a faultless document asks for
/// `issues.empty()`.
manifest_reading read_manifest(std::string_view json);

/// Writes `m` as indented JSON; fields that equal their defaults are left out.
/// read_manifest(write_manifest(m)) gives m. Precondition: m.rejected is empty.
std::string write_manifest(const manifest& m);

/// The canonical form of a spec: JSON with sorted keys, no white space, defaults left out.
/// Equal specs have equal canonical forms, however they were written.
std::string canonical(const resource_spec& spec);

/// The revision of a spec: "sha256:" and the hexadecimal hash of its canonical form.
std::string revision_of(const resource_spec& spec);

/// Reads a spec back from its canonical form.
outcome<resource_spec> read_spec(std::string_view kind, std::string_view json);

/// The canonical hash of a whole manifest without generation and issuedAt: equal when re-applying
/// it would say nothing new. Includes labels, ids, dependencies, restart_on, origins and specs.
std::string content_hash(const manifest& m);

/// RFC 3339 in UTC with milliseconds: "2026-01-31T12:00:00.000Z".
std::string format_time(timestamp t);
std::optional<timestamp> parse_time(std::string_view text);

/// Lower-case hexadecimal SHA-256.
std::string sha256_hex(std::string_view bytes);

/// The JSON Schema (2020-12) of "AgentManifest" or "AgentStatus"; what `config/schema/` holds.
/// Empty for any other name.
std::string json_schema(std::string_view document);

} // namespace harmony

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace harmony {

/// Why something failed. Every code has a machine-readable reason (`reason_of`) that stands in a
/// status, and belongs to one of the groups below; a new code is added to `reason_of` and to
/// docs/reasons.md.
enum class ec {
  // A document cannot be accepted; the last accepted one stays in force.
  invalid_document,     ///< not JSON, wrong type, unknown field, missing field
  document_too_large,   ///< over 1 MiB, 1000 resources or depth 32
  wrong_agent,          ///< metadata.agent names another device
  generation_regressed, ///< lower than the accepted one, or equal with other content
  expired,              ///< metadata.expiresAt is past
  unsigned_document,    ///< this device pins keys, and the document has no envelope
  signature_invalid,    ///< too few of the pinned keys have signed it

  // One resource cannot be accepted; the others converge.
  invalid_spec,       ///< a field of the spec is wrong
  unknown_kind,       ///< no such kind
  duplicate_name,     ///< two resources with one id, or one target
  unknown_dependency, ///< dependsOn or restartOn names a resource that is not in the manifest
  dependency_cycle,   ///< dependsOn leads back to the resource
  capability_missing, ///< this device cannot run that kind
  not_allowed,        ///< this device's configuration forbids it

  // An operation on the device failed; it is retried with backoff.
  name_conflict,       ///< something that this agent does not own is in the way
  no_such_user,        ///< owner or group does not exist
  permission_denied,   ///< EACCES, EPERM
  disk_full,           ///< ENOSPC, EDQUOT
  read_only,           ///< EROFS
  io_error,            ///< any other errno
  unsafe_path,         ///< a symlink leads out of place, or a parent is not a directory
  secret_unavailable,  ///< a secretRef could not be read or opened
  checksum_mismatch,   ///< downloaded content differs from the declared sha256
  download_failed,     ///< a URL could not be read
  image_not_found,     ///< the registry or the local store has no such image
  image_pull_failed,   ///< the registry could not be reached or refused
  port_in_use,         ///< a published port is taken
  container_exited,    ///< the container ended by itself
  container_failed,    ///< the runtime could not create or start it
  unit_not_found,      ///< the manager knows no such unit
  unit_invalid,        ///< the manager refuses the unit file
  unit_masked,         ///< the unit is masked
  unit_failed,         ///< the unit's job ended in failure
  job_failed,          ///< a ShellJob's command ended with failure
  package_not_found,   ///< no repository has that package, or that version
  package_failed,      ///< the package manager refused or failed
  account_failed,      ///< an account could not be made or changed
  link_not_found,      ///< the device has no such network link
  network_failed,      ///< the kernel refused a change of the network
  network_reverted,    ///< the store was not reached after the change, which was undone
  not_converged,       ///< the change was made and the thing still differs
  probe_failed,        ///< a probe said no
  runtime_unavailable, ///< systemd, podman or the bus does not answer
  timed_out,           ///< the operation's deadline passed
  canceled,            ///< a newer desire, a removal or the shutdown interrupted it

  // A whole generation.
  rolled_back, ///< it did not become ready in time, and the one before it is in force again

  // The store.
  conflict,          ///< a compare-and-set lost: somebody else wrote first
  not_found,         ///< no such key
  bucket_not_found,  ///< the store was not prepared
  store_unavailable, ///< not connected
  store_denied,      ///< the store refuses this client
  agent_unreachable, ///< no agent of that name serves commands

  internal, ///< a fault of this program
};

/// The CamelCase reason of `code`, as it stands in a status: `ec::disk_full` is "DiskFull".
std::string_view reason_of(ec code) noexcept;

/// The code of a reason; `internal` for a word that is none.
ec code_of_reason(std::string_view reason) noexcept;

/// A failure: what kind, and a sentence for a person that says what failed, why, and what to do.
struct failure {
  ec code = ec::internal;
  std::string message;

  friend bool operator==(const failure&, const failure&) = default;
};

/// A value or a failure. `T` is not `failure`.
template <class T = void>
class [[nodiscard]] outcome {
public:
  outcome(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  outcome(failure why) : state_(std::in_place_index<1>, std::move(why)) {}
  outcome(ec code, std::string message)
    : state_(std::in_place_index<1>, failure{code, std::move(message)}) {}

  [[nodiscard]] bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  /// The value. Precondition: `ok()`.
  T& value() & { return *std::get_if<0>(&state_); }
  const T& value() const& { return *std::get_if<0>(&state_); }
  T&& value() && { return std::move(*std::get_if<0>(&state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return std::get_if<0>(&state_); }
  const T* operator->() const { return std::get_if<0>(&state_); }

  /// The failure. Precondition: `!ok()`.
  [[nodiscard]] const failure& error() const { return *std::get_if<1>(&state_); }

private:
  std::variant<T, failure> state_;
};

template <>
class [[nodiscard]] outcome<void> {
public:
  outcome() = default;
  outcome(failure why) : why_(std::move(why)) {}
  outcome(ec code, std::string message) : why_(failure{code, std::move(message)}) {}

  [[nodiscard]] bool ok() const noexcept { return !why_; }
  explicit operator bool() const noexcept { return ok(); }
  [[nodiscard]] const failure& error() const { return *why_; }

private:
  std::optional<failure> why_;
};

} // namespace harmony

#include "model/outcome.hpp"

namespace harmony {

std::string_view reason_of(ec code) noexcept {
  switch (code) {
  case ec::invalid_document: return "InvalidDocument";
  case ec::document_too_large: return "DocumentTooLarge";
  case ec::wrong_agent: return "WrongAgent";
  case ec::generation_regressed: return "GenerationRegressed";
  case ec::expired: return "Expired";
  case ec::unsigned_document: return "Unsigned";
  case ec::signature_invalid: return "SignatureInvalid";
  case ec::invalid_spec: return "InvalidSpec";
  case ec::unknown_kind: return "UnknownKind";
  case ec::duplicate_name: return "DuplicateName";
  case ec::unknown_dependency: return "UnknownDependency";
  case ec::dependency_cycle: return "DependencyCycle";
  case ec::capability_missing: return "CapabilityMissing";
  case ec::not_allowed: return "NotAllowed";
  case ec::name_conflict: return "NameConflict";
  case ec::no_such_user: return "NoSuchUser";
  case ec::permission_denied: return "PermissionDenied";
  case ec::disk_full: return "DiskFull";
  case ec::read_only: return "ReadOnlyFileSystem";
  case ec::io_error: return "IoError";
  case ec::unsafe_path: return "UnsafePath";
  case ec::secret_unavailable: return "SecretUnavailable";
  case ec::checksum_mismatch: return "ChecksumMismatch";
  case ec::download_failed: return "DownloadFailed";
  case ec::image_not_found: return "ImageNotFound";
  case ec::image_pull_failed: return "ImagePullFailed";
  case ec::port_in_use: return "PortInUse";
  case ec::container_exited: return "ContainerExited";
  case ec::container_failed: return "ContainerFailed";
  case ec::unit_not_found: return "UnitNotFound";
  case ec::unit_invalid: return "UnitInvalid";
  case ec::unit_masked: return "UnitMasked";
  case ec::unit_failed: return "UnitFailed";
  case ec::job_failed: return "JobFailed";
  case ec::package_not_found: return "PackageNotFound";
  case ec::package_failed: return "PackageFailed";
  case ec::account_failed: return "AccountFailed";
  case ec::link_not_found: return "LinkNotFound";
  case ec::network_failed: return "NetworkFailed";
  case ec::network_reverted: return "NetworkReverted";
  case ec::not_converged: return "NotConverged";
  case ec::probe_failed: return "ProbeFailed";
  case ec::runtime_unavailable: return "RuntimeUnavailable";
  case ec::timed_out: return "TimedOut";
  case ec::canceled: return "Canceled";
  case ec::rolled_back: return "RolledBack";
  case ec::conflict: return "Conflict";
  case ec::not_found: return "NotFound";
  case ec::bucket_not_found: return "BucketNotFound";
  case ec::store_unavailable: return "StoreUnavailable";
  case ec::store_denied: return "StoreDenied";
  case ec::agent_unreachable: return "AgentUnreachable";
  case ec::internal: return "Internal";
  }
  return "Internal";
}

ec code_of_reason(std::string_view reason) noexcept {
  for (int i = 0; i < static_cast<int>(ec::internal); ++i)
    if (reason_of(static_cast<ec>(i)) == reason)
      return static_cast<ec>(i);
  return ec::internal;
}

} // namespace harmony

#include "apps/ctl/exit_code.hpp"

namespace harmony::ctl {

exit_code exit_code_of(ec code) noexcept {
  switch (code) {
  case ec::not_found:
  case ec::agent_unreachable: return exit_code::not_found;
  case ec::conflict: return exit_code::conflict;
  case ec::timed_out: return exit_code::timeout;
  case ec::invalid_document:
  case ec::document_too_large:
  case ec::wrong_agent:
  case ec::generation_regressed:
  case ec::expired:
  case ec::unsigned_document:
  case ec::signature_invalid:
  case ec::invalid_spec:
  case ec::unknown_kind:
  case ec::duplicate_name:
  case ec::unknown_dependency:
  case ec::dependency_cycle: return exit_code::invalid_document;
  default: return exit_code::failure;
  }
}

} // namespace harmony::ctl

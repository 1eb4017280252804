// The audit log: as a file that somebody may have changed.

#include "core/audit_chain.hpp"
#include "fuzz.hpp"

namespace harmony::fuzz {

void take(std::string_view bytes) {
  audit_verifier v{read_audit_mark(bytes.substr(0, bytes.find('\n')))};
  v.take(bytes, "audit.log");
  const auto verdict = v.verdict(true);
  require(verdict.intact == verdict.fault.empty(), "what is broken is told, and nothing else");
  require(verdict.records == 0 || verdict.head.sequence + 1 == verdict.first + verdict.records,
          "the records of a chain have every number");
  (void)audit_row(bytes);
  if (const auto record = read_audit_record(bytes))
    require(read_audit_record(write_audit_record(*record)).has_value(),
            "what was read can be written");
}

} // namespace harmony::fuzz

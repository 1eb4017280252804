#pragma once

#include <optional>
#include <string>

#include "apps/agent/audit_command.hpp"

namespace CLI {
class App;
} // namespace CLI

namespace harmony {

/// The commands `audit verify` and `audit show` of a command line.
class audit_parser {
public:
  /// Adds them to `app`. This must not move until that is parsed.
  explicit audit_parser(CLI::App& app);
  audit_parser(const audit_parser&) = delete;
  audit_parser& operator=(const audit_parser&) = delete;

  /// What was asked for once `app` is parsed; nothing: neither. Fails with invalid_spec.
  [[nodiscard]] outcome<std::optional<audit_request>> request() const;

private:
  CLI::App* verify_;
  CLI::App* show_;
  audit_request given_;
  std::string anchor_;
  std::string output_ = "table";
};

} // namespace harmony

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/manifest.hpp"

namespace harmony {

/// What a check found; worse ones are greater.
enum class verdict { ok, warn, fail };

/// "OK", "WARN", "FAIL".
std::string_view name_of(verdict v) noexcept;

/// One line of a checkup.
struct finding {
  verdict result = verdict::ok;
  std::string subject; ///< what was looked at, e.g. "disk"
  std::string message; ///< what was seen
  std::string remedy;  ///< what to do; empty where all is well

  friend bool operator==(const finding&, const finding&) = default;
};
using findings = std::vector<finding>;

/// The worst verdict; ok where there is none.
verdict worst(const findings& all) noexcept;

/// Of what ends at a time: fail once it has, warn in the week before. `well` is said otherwise,
/// with the end; `renew` is the remedy. No end: `well` alone.
finding judge_end(const std::string& subject, const std::string& well,
                  std::optional<std::chrono::sys_seconds> end, timestamp now,
                  const std::string& renew);

/// For a terminal: a line each, its remedy on the next, and what it comes to.
std::string text_of(const findings& all);

/// A JSON object: "result", and "checks", a list of objects.
std::string write_findings(const findings& all);

} // namespace harmony

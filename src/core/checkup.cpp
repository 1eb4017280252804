#include "core/checkup.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/age.hpp"

namespace harmony {

namespace {

std::string padded(std::string_view text, std::size_t width) {
  std::string result{text};
  result.resize(std::max(width, result.size()), ' ');
  return result;
}

/// "2 warnings"; empty for none.
std::string counted(const findings& all, verdict which, const std::string& noun) {
  const auto n =
    std::count_if(all.begin(), all.end(), [&](const finding& f) { return f.result == which; });
  return n == 0 ? "" : std::to_string(n) + " " + noun + (n == 1 ? "" : "s");
}

} // namespace

std::string_view name_of(verdict v) noexcept {
  switch (v) {
  case verdict::ok: return "OK";
  case verdict::warn: return "WARN";
  case verdict::fail: break;
  }
  return "FAIL";
}

verdict worst(const findings& all) noexcept {
  auto result = verdict::ok;
  for (const auto& each : all)
    result = std::max(result, each.result);
  return result;
}

finding judge_end(const std::string& subject, const std::string& well,
                  std::optional<std::chrono::sys_seconds> end, timestamp now,
                  const std::string& renew) {
  constexpr std::chrono::hours week{7 * 24};
  if (!end)
    return {verdict::ok, subject, well + ", without an end", {}};
  const auto left = *end - now;
  const auto when = " (" + format_time(*end) + ")";
  if (left <= left.zero())
    return {verdict::fail, subject, "ended " + format_age(-left) + " ago" + when, renew};
  if (left < week)
    return {verdict::warn, subject, "will end in " + format_age(left) + when, renew};
  return {verdict::ok, subject, well + ", until " + format_time(*end), {}};
}

std::string text_of(const findings& all) {
  std::size_t width = 0;
  for (const auto& each : all)
    width = std::max(width, each.subject.size());
  std::string text;
  for (const auto& each : all) {
    text +=
      padded(name_of(each.result), 5) + padded(each.subject, width) + "  " + each.message + "\n";
    if (!each.remedy.empty())
      text += std::string(5 + width + 2, ' ') + "-> " + each.remedy + "\n";
  }
  const auto failures = counted(all, verdict::fail, "failure");
  const auto warnings = counted(all, verdict::warn, "warning");
  if (failures.empty() && warnings.empty())
    return text + "All is well.\n";
  return text + failures + (failures.empty() || warnings.empty() ? "" : ", ") + warnings + ".\n";
}

std::string write_findings(const findings& all) {
  using json = nlohmann::ordered_json;
  auto checks = json::array();
  for (const auto& each : all)
    checks.push_back({{"check", each.subject},
                      {"result", name_of(each.result)},
                      {"message", each.message},
                      {"remedy", each.remedy}});
  return json{{"result", name_of(worst(all))}, {"checks", std::move(checks)}}.dump(
    2, ' ', false, json::error_handler_t::replace);
}

} // namespace harmony

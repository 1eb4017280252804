#include "postgres/sync_names.hpp"

#include <algorithm>
#include <charconv>

namespace harmony::postgres {

namespace {

constexpr std::string_view nobody = "(nobody)";
constexpr std::string_view any = "ANY ";

failover::sync_names foreign(std::string_view text) {
  return {0, {std::string{text}}};
}

} // namespace

std::string write_sync_names(const failover::sync_names& names) {
  if (names.k == 0)
    return {};
  std::string list;
  for (const auto& each : names.members)
    list += (list.empty() ? "\"" : ", \"") + each + "\"";
  if (list.empty())
    list = "\"" + std::string{nobody} + "\"";
  return std::string{any} + std::to_string(names.k) + " (" + list + ")";
}

failover::sync_names read_sync_names(std::string_view text) {
  if (text.empty())
    return {};
  failover::sync_names names;
  if (text.substr(0, any.size()) != any)
    return foreign(text);
  const auto rest = text.substr(any.size());
  const auto [at, error] = std::from_chars(rest.data(), rest.data() + rest.size(), names.k);
  if (error != std::errc{})
    return foreign(text);
  for (auto from = rest.find('"'); from != std::string_view::npos; from = rest.find('"', from)) {
    const auto end = rest.find('"', from + 1);
    if (end == std::string_view::npos)
      return foreign(text);
    names.members.emplace_back(rest.substr(from + 1, end - from - 1));
    from = end + 1;
  }
  if (names.members == std::vector{std::string{nobody}})
    names.members.clear();
  std::sort(names.members.begin(), names.members.end());
  return write_sync_names(names) == text ? names : foreign(text);
}

} // namespace harmony::postgres

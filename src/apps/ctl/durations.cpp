#include "apps/ctl/durations.hpp"

#include <array>
#include <charconv>

namespace harmony::ctl {

using std::chrono::milliseconds;

namespace {

struct unit {
  std::string_view name;
  std::int64_t in_milliseconds;
};

constexpr std::array units{unit{"ms", 1}, unit{"s", 1000}, unit{"m", 60'000}, unit{"h", 3'600'000},
                           unit{"d", 86'400'000}};
constexpr std::int64_t longest = 365LL * 86'400'000;

} // namespace

std::optional<milliseconds> parse_duration(std::string_view text) {
  std::int64_t total = 0;
  const bool bare = text.find_first_not_of("0123456789") == std::string_view::npos;
  if (text.empty())
    return {};
  while (!text.empty()) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || number < 0 || number > longest)
      return {};
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const auto name = text.substr(0, text.find_first_of("0123456789-+"));
    std::int64_t factor = bare ? 1000 : 0;
    for (const auto& u : units)
      if (u.name == name)
        factor = u.in_milliseconds;
    if (factor == 0)
      return {};
    text.remove_prefix(name.size());
    total += number * factor;
    if (total > longest)
      return {};
  }
  return milliseconds{total};
}

} // namespace harmony::ctl

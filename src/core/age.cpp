#include "core/age.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace harmony {

namespace {

struct unit {
  char name;
  std::int64_t in_seconds;
};

constexpr std::array units{unit{'d', 86'400}, unit{'h', 3'600}, unit{'m', 60}, unit{'s', 1}};

} // namespace

std::string format_age(std::chrono::milliseconds age) {
  const auto left = std::max<std::int64_t>(age.count() / 1000, 0);
  for (std::size_t i = 0; i + 1 < units.size(); ++i) {
    const auto& big = units.at(i);
    if (left < big.in_seconds)
      continue;
    const auto& small = units.at(i + 1);
    const auto rest = left % big.in_seconds / small.in_seconds;
    auto text = std::to_string(left / big.in_seconds) + big.name;
    if (rest != 0)
      text += std::to_string(rest) + small.name;
    return text;
  }
  return std::to_string(left) + "s";
}

} // namespace harmony

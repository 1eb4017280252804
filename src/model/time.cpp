#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "model/manifest.hpp"

namespace harmony {

namespace {

using namespace std::chrono;

constexpr timestamp first_time = sys_days{year{0} / 1 / 1};
constexpr timestamp last_time = sys_days{year{9999} / 12 / 31} + days{1} - milliseconds{1};

/// Reads exactly `count` digits off the front of `text`.
bool take_number(std::string_view& text, std::size_t count, int& out) {
  if (text.size() < count)
    return false;
  const auto part = text.substr(0, count);
  if (part.find_first_not_of("0123456789") != std::string_view::npos)
    return false;
  std::from_chars(part.data(), part.data() + count, out);
  text.remove_prefix(count);
  return true;
}

/// Takes the first character of `text` if it is one of `set`.
bool take_any(std::string_view& text, std::string_view set) {
  if (text.empty() || set.find(text.front()) == std::string_view::npos)
    return false;
  text.remove_prefix(1);
  return true;
}

/// ".5" is 500 ms; finer digits than milliseconds are cut off.
bool take_fraction(std::string_view& text, int& millis) {
  millis = 0;
  if (!take_any(text, "."))
    return true;
  const auto length = std::min(text.find_first_not_of("0123456789"), text.size());
  if (length == 0 || length > 9)
    return false;
  auto shown = text.substr(0, std::min<std::size_t>(length, 3));
  const auto count = shown.size();
  take_number(shown, count, millis);
  for (auto i = count; i < 3; ++i)
    millis *= 10;
  text.remove_prefix(length);
  return true;
}

bool take_offset(std::string_view& text, minutes& out) {
  out = minutes{0};
  if (take_any(text, "Zz"))
    return true;
  const bool west = !text.empty() && text.front() == '-';
  int h = 0;
  int m = 0;
  if (!take_any(text, "+-") || !take_number(text, 2, h) || !take_any(text, ":")
      || !take_number(text, 2, m) || h > 23 || m > 59)
    return false;
  out = (hours{h} + minutes{m}) * (west ? -1 : 1);
  return true;
}

} // namespace

std::string format_time(timestamp t) {
  t = std::clamp(t, first_time, last_time);
  const auto day = floor<days>(t);
  const year_month_day date{day};
  const hh_mm_ss clock{t - day};
  std::array<char, 40> text{};
  std::snprintf(
    text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
    static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
    static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text.data();
}

std::optional<timestamp> parse_time(std::string_view text) {
  int y = 0;
  int mo = 0;
  int d = 0;
  int h = 0;
  int mi = 0;
  int s = 0;
  int millis = 0;
  minutes offset{};
  const bool shaped = take_number(text, 4, y) && take_any(text, "-") && take_number(text, 2, mo)
                      && take_any(text, "-") && take_number(text, 2, d) && take_any(text, "Tt")
                      && take_number(text, 2, h) && take_any(text, ":") && take_number(text, 2, mi)
                      && take_any(text, ":") && take_number(text, 2, s)
                      && take_fraction(text, millis) && take_offset(text, offset) && text.empty();
  const year_month_day date{year{y}, month{static_cast<unsigned>(mo)},
                            day{static_cast<unsigned>(d)}};
  if (!shaped || !date.ok() || h > 23 || mi > 59 || s > 59)
    return {};
  const timestamp t =
    sys_days{date} + hours{h} + minutes{mi} + seconds{s} + milliseconds{millis} - offset;
  if (t < first_time || t > last_time)
    return {};
  return t;
}

} // namespace harmony

#include "transport/directory_entry.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <optional>

namespace harmony::directory {

namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

constexpr std::string_view magic = "harmony-entry/1 ";

std::string format_time(system_clock::time_point when) {
  const auto since = std::chrono::floor<milliseconds>(when).time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  const std::time_t whole = seconds.count();
  std::tm utc{};
  ::gmtime_r(&whole, &utc);
  std::array<char, 80> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900,
                utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                static_cast<int>((since - seconds).count()));
  return text.data();
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end)
    return std::nullopt;
  return value;
}

// "2026-03-01T08:15:30.123Z", nothing else.
std::optional<system_clock::time_point> parse_time(std::string_view text) {
  constexpr std::string_view form = "dddd-dd-ddTdd:dd:dd.dddZ";
  if (text.size() != form.size())
    return std::nullopt;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (form[i] == 'd' ? !digit : text[i] != form[i])
      return std::nullopt;
  }
  const auto part = [&](std::size_t from, std::size_t length) {
    return static_cast<int>(*parse_number(text.substr(from, length)));
  };
  std::tm utc{};
  utc.tm_year = part(0, 4) - 1900;
  utc.tm_mon = part(5, 2) - 1;
  utc.tm_mday = part(8, 2);
  utc.tm_hour = part(11, 2);
  utc.tm_min = part(14, 2);
  utc.tm_sec = part(17, 2);
  return system_clock::from_time_t(::timegm(&utc)) + milliseconds{part(20, 3)};
}

// Takes "name=value" off the front of `line`.
std::optional<std::string_view> take_field(std::string_view& line, std::string_view name) {
  const auto word = line.substr(0, line.find(' '));
  if (word.size() <= name.size() || word.substr(0, name.size()) != name || word[name.size()] != '=')
    return std::nullopt;
  line.remove_prefix(word.size() < line.size() ? word.size() + 1 : word.size());
  return word.substr(name.size() + 1);
}

failure not_an_entry(std::string_view where, std::string_view why) {
  return {ec::io_error, "cannot read '" + std::string{where} + "': " + std::string{why}
                          + "; restore the file or delete it"};
}

} // namespace

std::string header_of(const entry& e) {
  auto line = std::string{magic} + "revision=" + std::to_string(e.revision)
              + " written=" + format_time(e.written);
  line += e.deleted ? std::string{" deleted"} : " bytes=" + std::to_string(e.value.size());
  return line + "\n";
}

outcome<entry> read_entry(std::string_view content, std::string_view where) {
  const auto end = content.find('\n');
  if (end == std::string_view::npos || content.substr(0, magic.size()) != magic)
    return not_an_entry(where, "its first line is not a store entry's header");
  auto line = content.substr(magic.size(), end - magic.size());
  const auto value = content.substr(end + 1);

  entry e;
  const auto revision = take_field(line, "revision");
  const auto number = revision ? parse_number(*revision) : std::nullopt;
  if (!number || *number == 0)
    return not_an_entry(where, "its header has no revision above 0");
  e.revision = *number;
  const auto written = take_field(line, "written");
  const auto when = written ? parse_time(*written) : std::nullopt;
  if (!when)
    return not_an_entry(where, "its header does not say when it was written");
  e.written = *when;
  if (line == "deleted") {
    e.deleted = true;
    return e;
  }
  const auto bytes = take_field(line, "bytes");
  const auto size = bytes ? parse_number(*bytes) : std::nullopt;
  if (!size)
    return not_an_entry(where, "its header does not say how long the value is");
  if (*size != value.size())
    return not_an_entry(where, "it has " + std::to_string(value.size()) + " bytes of "
                                 + std::to_string(*size));
  e.value = value;
  return e;
}

} // namespace harmony::directory

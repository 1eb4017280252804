#include "transport/directory_entry.hpp"

#include <charconv>
#include <optional>

#include "model/manifest.hpp"

namespace harmony::directory {

namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

constexpr std::string_view magic = "harmony-entry/1 ";

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end)
    return std::nullopt;
  return value;
}

/// Nothing where it is no time, or none that the clock's type can hold (years 1678 to 2261).
std::optional<system_clock::time_point> time_of(std::string_view text) {
  const auto time = parse_time(text);
  if (!time || *time < std::chrono::ceil<milliseconds>(system_clock::time_point::min())
      || *time > std::chrono::floor<milliseconds>(system_clock::time_point::max()))
    return std::nullopt;
  return *time;
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
              + " written=" + format_time(std::chrono::floor<milliseconds>(e.written));
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
  const auto when = written ? time_of(*written) : std::nullopt;
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

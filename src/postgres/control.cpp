#include "postgres/control.hpp"

#include <array>
#include <charconv>
#include <cstdio>

namespace harmony::postgres {

namespace {

// Of xlog_internal.h: a page's header, and that of a segment's first page.
constexpr std::uint32_t short_header = 24;
constexpr std::uint32_t long_header = 40;
constexpr failover::lsn alignment = 8;
constexpr int hexadecimal = 16;
constexpr std::size_t history_digits = 8;
constexpr std::string_view history_end = ".history";

/// What stands behind "name:", without spaces; nothing where there is no such line.
std::optional<std::string_view> value_of(std::string_view printed, std::string_view name) {
  while (!printed.empty()) {
    const auto end = printed.find('\n');
    const auto line = printed.substr(0, end);
    printed.remove_prefix(end == std::string_view::npos ? printed.size() : end + 1);
    if (line.substr(0, name.size()) != name || line.substr(name.size(), 1) != ":")
      continue;
    const auto from = line.find_first_not_of(" \t", name.size() + 1);
    return from == std::string_view::npos ? std::string_view{} : line.substr(from);
  }
  return std::nullopt;
}

template <class Number>
bool read(std::string_view printed, std::string_view name, Number& to) {
  const auto text = value_of(printed, name);
  if (!text)
    return false;
  const auto* end = text->data() + text->size();
  const auto [at, error] = std::from_chars(text->data(), end, to);
  return error == std::errc{} && at == end;
}

bool read_position(std::string_view printed, std::string_view name, failover::lsn& to) {
  const auto text = value_of(printed, name);
  const auto at = text ? failover::read_lsn(*text) : std::nullopt;
  to = at.value_or(0);
  return at.has_value();
}

} // namespace

std::optional<control> read_control(std::string_view printed) {
  control c;
  const auto state = value_of(printed, "Database cluster state");
  const auto checksums = value_of(printed, "Data page checksum version");
  const auto hints = value_of(printed, "wal_log_hints setting");
  const bool all = state && checksums && hints
                   && read(printed, "Database system identifier", c.system_id)
                   && read_position(printed, "Latest checkpoint location", c.checkpoint)
                   && read(printed, "Latest checkpoint's TimeLineID", c.checkpoint_timeline)
                   && read_position(printed, "Minimum recovery ending location", c.recovered)
                   && read(printed, "Min recovery ending loc's timeline", c.recovered_timeline)
                   && read(printed, "Bytes per WAL segment", c.segment_size)
                   && read(printed, "WAL block size", c.block_size);
  if (!all || c.segment_size == 0 || c.block_size == 0)
    return std::nullopt;
  c.state = *state;
  c.checksums = *checksums != "0";
  c.log_hints = *hints == "on";
  for (const auto* name : {"max_connections", "max_worker_processes", "max_wal_senders",
                           "max_prepared_xacts", "max_locks_per_xact"})
    if (std::uint32_t value = 0; read(printed, std::string{name} + " setting", value))
      c.least[name] = value;
  return c;
}

std::optional<std::vector<failover::past_timeline>> read_history(std::string_view text) {
  std::vector<failover::past_timeline> all;
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const auto first = line.find_first_not_of(" \t\r");
    if (first == std::string_view::npos || line[first] == '#')
      continue;
    line.remove_prefix(first);
    failover::past_timeline past;
    const auto [at, error] = std::from_chars(line.data(), line.data() + line.size(), past.timeline);
    line.remove_prefix(static_cast<std::size_t>(at - line.data()));
    const auto from = line.find_first_not_of(" \t");
    if (error != std::errc{} || from == std::string_view::npos)
      return std::nullopt;
    line = line.substr(from);
    const auto left = failover::read_lsn(line.substr(0, line.find_first_of(" \t\r")));
    if (!left)
      return std::nullopt;
    past.left_at = *left;
    all.push_back(past);
  }
  return all;
}

std::string history_file(std::uint32_t timeline) {
  std::array<char, history_digits + 1> number{};
  std::snprintf(number.data(), number.size(), "%08X", timeline);
  return std::string{number.data()} + std::string{history_end};
}

std::uint32_t history_number(std::string_view file) {
  std::uint32_t number = 0;
  if (file.size() != history_digits + history_end.size()
      || file.substr(history_digits) != history_end)
    return 0;
  const auto* end = file.data() + history_digits;
  const auto [at, error] = std::from_chars(file.data(), end, number, hexadecimal);
  return error == std::errc{} && at == end ? number : 0;
}

log_place place_of(failover::lsn at, std::uint32_t timeline, std::uint32_t segment_size) {
  constexpr failover::lsn log_size = failover::lsn{1} << 32U;
  const auto segment = at / segment_size;
  const auto a_log = log_size / segment_size;
  std::array<char, 3 * history_digits + 1> name{};
  std::snprintf(name.data(), name.size(), "%08X%08X%08X", timeline,
                static_cast<unsigned>(segment / a_log), static_cast<unsigned>(segment % a_log));
  return {name.data(), static_cast<std::uint32_t>(at % segment_size)};
}

failover::lsn record_end(failover::lsn at, std::uint32_t length, std::uint32_t block_size,
                         std::uint32_t segment_size) {
  auto left = length;
  for (;;) {
    const auto in_page = static_cast<std::uint32_t>(at % block_size);
    if (in_page == 0)
      at += at % segment_size == 0 ? long_header : short_header;
    const auto room = block_size - static_cast<std::uint32_t>(at % block_size);
    if (left <= room)
      return (at + left + alignment - 1) / alignment * alignment;
    left -= room;
    at += room;
  }
}

} // namespace harmony::postgres

#include "postgres/timelines.hpp"

#include <algorithm>

#include "postgres/control.hpp"

namespace harmony::postgres {

namespace {

/// Each takes a file; no cluster has so many claims in vain.
constexpr std::uint32_t most_reserved = 1000;
constexpr const char* log_folder = "pg_wal";
constexpr const char* reservation = "# Of a claim that promoted nobody. Taken by harmony-agent.\n";

std::string path_of(std::uint32_t timeline) {
  return std::string{log_folder} + "/" + history_file(timeline);
}

outcome<std::vector<std::uint32_t>> all_there(const data_files& files) {
  const auto names = files.list(log_folder);
  if (!names)
    return names.error();
  std::vector<std::uint32_t> numbers;
  for (const auto& name : *names)
    if (const auto number = history_number(name); number != 0)
      numbers.push_back(number);
  return numbers;
}

} // namespace

outcome<std::vector<std::uint32_t>> to_reserve(const std::vector<std::uint32_t>& there,
                                               std::uint32_t current, std::uint32_t wanted) {
  const auto has = [&](std::uint32_t n) {
    return std::find(there.begin(), there.end(), n) != there.end();
  };
  if (wanted <= current || has(wanted))
    return {ec::conflict, "timeline " + std::to_string(wanted)
                            + " is here already, and cannot be begun from "
                            + std::to_string(current)};
  if (wanted - current > most_reserved)
    return {ec::conflict, "timeline " + std::to_string(wanted) + " is too far from "
                            + std::to_string(current) + ": at most " + std::to_string(most_reserved)
                            + " are passed over"};
  std::vector<std::uint32_t> lacking;
  for (auto n = current + 1; n < wanted; ++n)
    if (!has(n))
      lacking.push_back(n);
  return lacking;
}

outcome<> reserve_timelines(const data_files& files, std::uint32_t current, std::uint32_t wanted) {
  const auto there = all_there(files);
  if (!there)
    return there.error();
  const auto lacking = to_reserve(*there, current, wanted);
  if (!lacking)
    return lacking.error();
  for (const auto number : *lacking)
    if (auto done = files.write(path_of(number), reservation); !done)
      return done;
  return {};
}

outcome<> release_timelines(const data_files& files) {
  const auto there = all_there(files);
  if (!there)
    return there.error();
  std::uint32_t newest = 1;
  std::vector<std::uint32_t> taken;
  for (const auto number : *there) {
    const auto text = files.read(path_of(number));
    if (text && *text == reservation)
      taken.push_back(number);
    else
      newest = std::max(newest, number);
  }
  for (const auto number : taken)
    if (number > newest)
      if (auto done = files.remove(path_of(number)); !done)
        return done;
  return {};
}

} // namespace harmony::postgres

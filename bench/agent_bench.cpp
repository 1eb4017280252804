// What the agent costs, measured on its own binary, mostly inside a disposable device: see
// docs/benchmarks.md. `scripts/bench` runs it.
//
//   agent_bench [NAME…]     the names are in `all_rows` below; all by default
//   agent_bench --names     prints them

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include "bench.hpp"
#include "blind_device.hpp"
#include "rows.hpp"
#include "support/test_image.hpp"

namespace harmony::bench {

namespace {

/// `device`: it needs systemd and podman, so it runs in a disposable device only.
struct row {
  const char* name;
  void (*measure)();
  bool device;
};

const std::vector<row>& all_rows() {
  static const std::vector<row> rows{
    {"start", start_row, false},
    {"file", file_row, false},
    {"unit", unit_row, true},
    {"container", container_row, true},
    {"many", many_row, false},
    {"verify", verify_row, false},
    {"chain", chain_row, true},
    {"batch", batch_row, true},
    {"drift", drift_row, true},
    {"drift-any", drift_any_row, true},
    {"drift-lost", drift_lost_row, true},
    {"hang-one", hang_one_row, true},
    {"hang-all", hang_all_row, true},
    {"idle", idle_row, true},
    {"idle-full", idle_full_row, true},
  };
  return rows;
}

int print_names() {
  for (const auto& r : all_rows())
    std::puts(r.name);
  return 0;
}

int run(std::set<std::string> names) {
  std::vector<row> chosen;
  for (const auto& r : all_rows())
    if (names.empty() || names.count(r.name) != 0)
      chosen.push_back(r);
  for (const auto& r : chosen)
    names.erase(r.name);
  if (!names.empty())
    give_up("there is no row '" + *names.begin() + "'; see agent_bench --names");
  if (std::any_of(chosen.begin(), chosen.end(), [](const row& r) { return r.device; })) {
    sh("systemctl start podman.socket");
    test::build_test_image(image);
  }
  print_head();
  for (const auto& r : chosen)
    r.measure();
  return 0;
}

} // namespace

} // namespace harmony::bench

int main(int argc, char* argv[]) {
  using namespace harmony::bench;
  const std::string first = argc > 1 ? argv[1] : "";
  try {
    if (first == "--names")
      return print_names();
    if (first == "--no-inotify" && argc > 2)
      return run_without_inotify(argv + 2);
    return run({argv + 1, argv + argc});
  } catch (const std::exception& e) {
    std::cerr << "agent_bench: " << e.what() << "\n";
    return 1;
  }
}

// Many units in one desired state, beside the same with systemd alone.

#include <string>
#include <vector>

#include "bare_jobs.hpp"
#include "bench.hpp"
#include "rows.hpp"
#include "topology/systemd_files.hpp"

namespace harmony::bench {

namespace {

using test::agent_process;
constexpr int batch_runs = 11;
const std::filesystem::path unit_folder = "/etc/systemd/system";

std::vector<std::string> unit_names(const std::string& prefix, int count) {
  std::vector<std::string> names;
  names.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i)
    names.push_back(prefix + std::to_string(i) + ".service");
  return names;
}

/// Content of a unit that differs from one version to the next.
std::string sleeper_of(int version) {
  return sleeper + "Environment=VERSION=" + std::to_string(version) + "\n";
}

void write_bare(const std::string& unit, const std::string& content) {
  need(write_unit_file(unit_folder / unit, content, overwrite::yes).ok(), "writing " + unit);
}

void remove_bare(bare_jobs& systemd, const std::vector<std::string>& units) {
  systemd.run("StopUnit", units);
  for (const auto& unit : units)
    need(remove_unit_file(unit_folder / unit).ok(), "removing " + unit);
  systemd.reload();
}

/// Each depends on the one before it.
std::string chain_json(int count) {
  std::vector<std::string> all;
  all.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i)
    all.push_back(unit_json(
      "chain-" + std::to_string(i), sleeper,
      i == 0 ? "" : R"(,"dependsOn":["SystemdUnit/chain-)" + std::to_string(i - 1) + R"("])"));
  return list(all);
}

std::string batch_json(int count, int version) {
  std::vector<std::string> all;
  all.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i)
    all.push_back(unit_json("batch-" + std::to_string(i), sleeper_of(version)));
  return list(all);
}

} // namespace

void chain_row() {
  constexpr int count = 20;
  bare_jobs systemd;
  agent_process agent{program, {"--podman", "off"}};
  agent.start();
  settle(agent, "");
  const auto units = unit_names("bare-", count);
  samples bare, applied;
  for (int i = 0; i < batch_runs; ++i) { // in turn, so that a busy machine slows both alike
    bare.time([&] {
      for (const auto& unit : units) {
        write_bare(unit, sleeper);
        systemd.run("StartUnit", {unit});
      }
    });
    remove_bare(systemd, units);
    time_apply(applied, agent, chain_json(count));
    settle(agent, "");
  }
  print_row("20 bare units in a row: write, start, job", bare, "-");
  print_row("a chain of 20 dependent units: apply until converged", applied, "-");
  print_ratio("a chain of 20 dependent units", applied, bare, "<= 1.5");
  agent.stop();
}

void batch_row() {
  constexpr int count = 100;
  bare_jobs systemd;
  agent_process agent{program, {"--podman", "off"}};
  agent.start();
  settle(agent, "");
  const auto units = unit_names("bare-", count);
  const auto write_all = [&](int version) {
    for (const auto& unit : units)
      write_bare(unit, sleeper_of(version));
  };
  samples bare_new, bare_reloaded, bare_changed, applied_new, applied_changed, reloads;
  for (int i = 0; i < batch_runs; ++i) {
    bare_reloaded.time([&] {
      write_all(i);
      systemd.reload();
      systemd.run("StartUnit", units);
    });
    remove_bare(systemd, units);
    bare_new.time([&] {
      write_all(i);
      systemd.run("StartUnit", units);
    });
    bare_changed.time([&] {
      write_all(i + 1000);
      systemd.reload();
      systemd.run("RestartUnit", units);
    });
    remove_bare(systemd, units);
    time_apply(applied_new, agent, batch_json(count, i));
    const auto before = systemd.reloads_seen();
    time_apply(applied_changed, agent, batch_json(count, i + 1000));
    reloads.add(static_cast<double>(systemd.reloads_seen() - before));
    settle(agent, "");
  }
  print_row("100 bare units, new: writes, one reload, starts at once", bare_reloaded, "-");
  print_row("100 bare units, new: writes, starts at once (no reload is needed)", bare_new, "-");
  print_row("100 independent units, new: apply until converged", applied_new, "-");
  print_ratio("100 new units, to the bare ones with a reload", applied_new, bare_reloaded,
              "<= 1.3");
  print_ratio("100 new units, to the bare ones without", applied_new, bare_new, "<= 1.3");
  print_row("100 bare units, changed: writes, one reload, restarts at once", bare_changed, "-");
  print_row("100 independent units, changed: apply until converged", applied_changed, "-");
  print_row("100 independent units, changed: reloads", reloads, "1");
  print_ratio("100 changed units", applied_changed, bare_changed, "<= 1.3");
  agent.stop();
}

} // namespace harmony::bench

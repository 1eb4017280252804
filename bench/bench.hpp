#pragma once

// What the rows share: declarations of resources, and waiting for an agent.

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "samples.hpp"
#include "support/agent_process.hpp"

namespace harmony::bench {

inline constexpr int runs = 21;

/// Binary of the agent.
extern const std::string program;
/// A local image; built before any row that needs it.
extern const std::string image;
/// Flags of an agent that manages files only.
extern const std::vector<std::string> files_only;
/// Content of a unit that runs until it is stopped.
extern const std::string sleeper;

/// Says why and ends the program.
[[noreturn]] void give_up(const std::string& why);
/// Gives up with "WHAT failed" unless it holds.
void need(bool holds, const std::string& what);
/// Runs a shell command; gives up when it fails.
void sh(const std::string& command);

// Resources in JSON.
std::string file_json(const std::string& name, const std::string& path, const std::string& content);
/// `members`: further members of the resource, each with a comma before it.
std::string unit_json(const std::string& name, const std::string& content = sleeper,
                      const std::string& members = {});
std::string container_json(const std::string& name);
std::string list(const std::vector<std::string>& all);

/// "File/a" as an id.
resource_id id_of(const std::string& text);

/// Waits until the agent converged; otherwise gives up with what is not ready.
void converge(test::agent_process& agent);

/// Applies, and waits until Converged at it can be read.
void settle(test::agent_process& agent, const std::string& resources);

/// Time from the write of a desired state until Converged at its generation can be read.
void time_apply(samples& s, test::agent_process& agent, const std::string& resources);

/// Waits, 20 s at most, for a condition that nothing signals.
template <class Predicate>
void spin(Predicate holds, const std::string& what) {
  using namespace std::chrono_literals;
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (!holds()) {
    need(std::chrono::steady_clock::now() < end, what);
    std::this_thread::sleep_for(200us);
  }
}

/// Milliseconds between two wall-clock times.
template <class From, class To>
double ms_between(From from, To to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

} // namespace harmony::bench

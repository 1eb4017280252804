#include <cstdlib>
#include <string>
#include <vector>

#include "topology/probe_checks.hpp"
#include "topology/process_runner.hpp"

namespace harmony {

namespace {

constexpr std::size_t shown_output = 200; ///< bytes of output in a message

/// The agent's environment may hold credentials; a check gets what programs commonly need.
std::vector<std::string> environment() {
  std::vector<std::string> result;
  for (const auto* name : {"PATH", "HOME", "LANG", "TZ"})
    if (const auto* value = std::getenv(name))
      result.push_back(std::string{name} + "=" + value);
  return result;
}

/// What a status shows of the output: its first line, printable.
std::string first_line(const std::string& output) {
  std::string line;
  for (const char c : output.substr(0, output.find('\n')))
    line += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  return line.empty() ? line : ": " + line;
}

/// What the end of the command says of the resource.
outcome<probe_result> judge(const exec_probe& p, const outcome<process_result>& ended) {
  const auto name = "'" + p.command.front() + "'";
  if (!ended)
    return {ended.error().code, "exec probe: " + name + " cannot be run: " + ended.error().message};
  const auto shown = first_line(ended->output);
  switch (ended->how) {
  case process_result::ending::exited: break;
  case process_result::ending::signaled:
    return probe_result{false,
                        name + " was killed by signal " + std::to_string(ended->number) + shown};
  case process_result::ending::timed_out:
    return probe_result{false, name + " did not end in time" + shown};
  case process_result::ending::canceled:
    return {ec::canceled, "exec probe " + name + " was interrupted"};
  case process_result::ending::lost:
    return {ec::io_error, "exec probe: " + name + " cannot be waited for"};
  }
  if (ended->number == 0)
    return probe_result{true, {}};
  return probe_result{false, name + " exited with status " + std::to_string(ended->number) + shown};
}

failure no_command() {
  return {ec::invalid_spec, "exec probe: the command is empty; name a program"};
}

} // namespace

outcome<probe_result> check_exec(const exec_probe& p, const check_limits& limits) {
  if (p.command.empty())
    return no_command();
  process_command command;
  command.arguments = p.command;
  command.environment = environment();
  command.keep = shown_output;
  command.kept = process_command::part::beginning;
  return judge(p, run_process(command, limits));
}

outcome<probe_result> check_exec(const exec_probe& p, container_runtime& runtime,
                                 const std::string& container, const check_limits& limits) {
  if (p.command.empty())
    return no_command();
  return judge(p,
               runtime.exec(container, p.command, shown_output, {limits.cancel(), limits.end()}));
}

} // namespace harmony

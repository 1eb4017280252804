#pragma once

// What the declarations of commands share; for cli.cpp and cli_device.cpp alone.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "apps/ctl/options.hpp"

namespace harmony::ctl {

/// The declared command line and where its values go.
struct declaration {
  declaration() : app("Operates a fleet of devices that run harmony-agent.", "harmonyctl") {}

  CLI::App app;
  options result;
};

/// Ends the parsing: `got` is no value of `what`.
[[noreturn]] void refuse(const std::string& what, const std::string& got,
                         const std::string& wanted);

milliseconds duration_of(const std::string& what, const std::string& text);

/// Gives `into` the agent's name, once it is known to be one.
CLI::Option* add_agent(CLI::App& to, const std::string& name, std::string& into,
                       const std::string& help);

CLI::Option* add_resource(CLI::App& to, std::optional<resource_id>& into, const std::string& help);

/// `until`: what is waited for, for the help.
void add_wait(CLI::App& to, std::optional<milliseconds>& into,
              const std::string& until = "the device has converged");

/// Adds a command whose options live as long as the parser.
template <class Options>
std::pair<CLI::App*, std::shared_ptr<Options>>
add_command(CLI::App& to, options& result, const std::string& name, const std::string& help) {
  auto values = std::make_shared<Options>();
  auto* command = to.add_subcommand(name, help);
  command->fallthrough(); // global options may stand after the command
  command->callback([&result, values] { result.command = *values; });
  return {command, values};
}

/// The secret keys that sign what a command writes.
void add_signing_keys(CLI::App& to, std::vector<std::string>& into);

/// The commands for keys and signatures.
void declare_trust(declaration& d);
/// The command that needs a device's key.
void declare_seal(declaration& d);

/// The commands that a device answers.
void declare_device_commands(declaration& d);

/// The commands about who may talk to the store.
void declare_access(declaration& d);
/// The commands that let new devices in.
void declare_enrolment(declaration& d);

/// The commands about failover clusters.
void declare_failover(declaration& d);

/// The folder of the fleet's keys.
CLI::Option* add_keys(CLI::App& to, std::string& into, const std::string& help);

} // namespace harmony::ctl

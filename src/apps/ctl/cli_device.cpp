// The command line of the commands that a device answers.
#include "apps/ctl/cli_parts.hpp"

namespace harmony::ctl {

namespace {

/// Adds the arguments of a command to a device.
template <class Options>
std::pair<CLI::App*, std::shared_ptr<Options>>
add_device_command(declaration& d, const std::string& name, const std::string& help) {
  auto added = add_command<Options>(d.app, d.result, name, help);
  add_agent(*added.first, "agent", added.second->agent, "The agent")->required();
  return added;
}

CLI::Option* add_resource(CLI::App& to, resource_id& into, const std::string& help) {
  return to
    .add_option_function<std::string>(
      "resource",
      [&into](const std::string& text) {
        if (!parse_resource_id(text, into))
          refuse("resource", text, "Kind/name, such as Container/app");
      },
      help)
    ->required()
    ->type_name("KIND/NAME");
}

} // namespace

void declare_seal(declaration& d) {
  const auto [seal, values] = add_command<seal_options>(
    d.app, d.result, "seal", "Encrypt a secret to one device, for secretRef of a manifest");
  auto* agent = add_agent(*seal, "agent", values->agent, "The agent, whose key the store has");
  auto* to = seal->add_option("--to", values->to,
                              "The key itself, as `harmony-agent key` prints it on the device");
  to->type_name("KEY")->excludes(agent);
  seal->add_option("-f,--file", values->file, "The file with the secret [-, standard input]")
    ->type_name("FILE");
  seal
    ->add_option_function<std::string>(
      "--for",
      [into = values](const std::string& text) {
        if (!parse_resource_id(text, into->use.emplace()))
          refuse("--for", text, "Kind/name, such as Container/app");
      },
      "Only this resource may have it")
    ->type_name("KIND/NAME");
}

void declare_device_commands(declaration& d) {
  add_device_command<ping_options>(d, "ping", "Ask a device whether it is there");
  add_device_command<resync_options>(d, "resync",
                                     "Have a device read its manifest and look at everything anew");

  const auto [restart, restart_values] = add_device_command<restart_options>(
    d, "restart", "Restart a unit or a container, whatever its backoff");
  add_resource(*restart, restart_values->resource, "The resource");
  add_wait(*restart, restart_values->wait, "it is ready again");

  const auto [hold, hold_values] = add_device_command<hold_options>(
    d, "hold", "Keep a device from changing a resource, or anything, for a while");
  add_resource(*hold, hold_values->resource, "Only this resource");
  hold
    ->add_option_function<std::string>(
      "--for",
      [into = hold_values](const std::string& text) {
        into->duration = duration_of("--for", text);
        if (into->duration < std::chrono::seconds{1} || into->duration > std::chrono::hours{7 * 24})
          refuse("--for", text, "a duration from 1s to 168h");
      },
      "When it ends by itself [1h]")
    ->type_name("DURATION");
  hold->add_option("--reason", hold_values->reason, "Why, for those who see it in the status")
    ->type_name("TEXT");

  const auto [unhold, unhold_values] =
    add_device_command<unhold_options>(d, "unhold", "End a hold, or all of a device's");
  add_resource(*unhold, unhold_values->resource, "Only the hold of this resource");

  const auto [logs, logs_values] =
    add_device_command<logs_options>(d, "logs", "Print the log of a unit, container or job");
  add_resource(*logs, logs_values->resource, "The resource");
  logs->add_flag("-f,--follow", logs_values->follow, "Go on with what comes, until interrupted");
  logs->add_option("-n,--tail", logs_values->tail, "How many of the newest lines [100]")
    ->check(CLI::Range(0, 10'000))
    ->type_name("LINES");
}

} // namespace harmony::ctl

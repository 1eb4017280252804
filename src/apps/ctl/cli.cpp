#include "apps/ctl/cli.hpp"

#include <algorithm>
#include <memory>
#include <sstream>

#include "apps/ctl/cli_parts.hpp"

namespace harmony::ctl {

namespace {

constexpr const char* exit_codes = R"(Exit codes:
  0 ok   1 failure   2 usage   3 not found   4 conflict   5 timeout   6 invalid document

Environment: HARMONY_STORE, HARMONY_CREDS, HARMONY_NKEY, HARMONY_CA, HARMONY_CERT and
HARMONY_CERT_KEY stand in for the options, HARMONY_KEY for --key of apply, rollback and
sign (files, separated by colons); NO_COLOR.)";

void add_files(CLI::App& to, std::vector<std::string>& into) {
  to.add_option("-f,--file", into, "A file with manifests in YAML or JSON; - is standard input")
    ->required()
    ->allow_extra_args(false)
    ->type_name("FILE");
}

void add_agent_override(CLI::App& to, std::string& into) {
  add_agent(to, "--agent", into, "The agent, in place of metadata.agent of the file");
}

void declare_global(CLI::App& app, global_options& global) {
  app
    .add_option("-s,--store", global.store,
                "The fleet's state: nats://HOST:PORT, tls://HOST:PORT or dir:/PATH "
                "[dir:/var/lib/harmony/store]")
    ->type_name("URL");
  app
    .add_option_function<std::string>(
      "-o,--output",
      [&global](const std::string& text) {
        if (text == "table")
          global.format = output_format::table;
        else if (text == "json")
          global.format = output_format::json;
        else if (text == "yaml")
          global.format = output_format::yaml;
        else
          refuse("--output", text, "table, json or yaml");
      },
      "How results are printed")
    ->type_name("table|json|yaml");
  app
    .add_option_function<std::string>(
      "--timeout",
      [&global](const std::string& text) { global.timeout = duration_of("--timeout", text); },
      "How long the command may take, waiting for devices apart [10s]")
    ->type_name("DURATION");
  app.add_flag("--no-color", global.no_color, "No colour, on a terminal either");
  app.add_option("--creds", global.credentials, "Credentials file of NATS")->type_name("FILE");
  app.add_option("--nkey", global.nkey, "Your key (seed), where the server knows its public part")
    ->type_name("FILE");
  app.add_option("--ca", global.ca_file, "Certificates that the server's must descend from")
    ->type_name("FILE");
  app.add_option("--cert", global.cert_file, "Your certificate, for mutual TLS")->type_name("FILE");
  app.add_option("--cert-key", global.key_file, "The key of that certificate")->type_name("FILE");
}

void declare_changes(declaration& d) {
  add_command<init_options>(d.app, d.result, "init",
                            "Create the store's buckets where they are missing");

  const auto [plan, plan_values] = add_command<plan_options>(
    d.app, d.result, "plan", "Show what applying a manifest would change");
  add_files(*plan, plan_values->files);
  add_agent_override(*plan, plan_values->agent);
  plan->add_flag("--offline", plan_values->offline,
                 "Compare with the manifest in the store, and do not ask the device");

  const auto [apply, values] = add_command<apply_options>(
    d.app, d.result, "apply", "Make a manifest the desired state of its agent");
  add_files(*apply, values->files);
  add_agent_override(*apply, values->agent);
  apply->add_flag("--force", values->force,
                  "Write although nothing changed, or what is there cannot be read");
  apply->add_flag("--dry-run", values->dry_run, "Show the plan and write nothing");
  add_signing_keys(*apply, values->keys);
  add_wait(*apply, values->wait);

  const auto [remove, remove_values] = add_command<delete_options>(
    d.app, d.result, "delete", "Delete an agent's manifest; its workloads keep running");
  add_agent(*remove, "agent", remove_values->agent, "The agent")->required();
  remove->add_flag("-y,--yes", remove_values->yes, "Do not ask");
}

template <class Options>
void declare_get(declaration& d, CLI::App& get, const std::string& name, const std::string& help,
                 get_options::what kind, bool agent_required) {
  const auto [command, values] = add_command<Options>(get, d.result, name, help);
  values->kind = kind;
  if (kind == get_options::what::agents)
    return;
  add_agent(*command, "agent", values->agent, agent_required ? "The agent" : "Only this agent")
    ->required(agent_required);
  if (kind == get_options::what::manifest)
    command->add_flag("--envelope", values->envelope, "With its signatures, as it was written");
}

void declare_views(declaration& d) {
  auto* get = d.app.add_subcommand("get", "List agents or resources, or print a manifest");
  get->require_subcommand(1)->fallthrough();
  declare_get<get_options>(d, *get, "agents", "All agents: phase, generation, heartbeat",
                           get_options::what::agents, false);
  declare_get<get_options>(d, *get, "resources", "The resources of one agent, or of all",
                           get_options::what::resources, false);
  declare_get<get_options>(d, *get, "manifest", "The manifest of an agent, as it is in the store",
                           get_options::what::manifest, true);

  auto* describe = d.app.add_subcommand("describe", "Show everything about one thing");
  describe->require_subcommand(1)->fallthrough();
  const auto [agent, agent_values] =
    add_command<describe_options>(*describe, d.result, "agent", "One agent");
  add_agent(*agent, "agent", agent_values->agent, "The agent")->required();
  const auto [resource, resource_values] =
    add_command<describe_options>(*describe, d.result, "resource", "One resource of an agent");
  add_agent(*resource, "agent", resource_values->agent, "The agent")->required();
  add_resource(*resource, resource_values->resource, "The resource")->required();

  const auto [explain, explain_values] = add_command<explain_options>(
    d.app, d.result, "explain", "Say in words why something is not converged");
  add_agent(*explain, "agent", explain_values->agent, "The agent")->required();
  add_resource(*explain, explain_values->resource, "Only this resource");
  explain->add_flag("--live", explain_values->live, "Ask the device itself, not its last status");
}

void declare_history(declaration& d) {
  const auto [history, values] = add_command<history_options>(
    d.app, d.result, "history", "List the generations of a manifest that the store still has");
  add_agent(*history, "agent", values->agent, "The agent")->required();

  const auto [rollback, rollback_values] = add_command<rollback_options>(
    d.app, d.result, "rollback", "Apply a former generation again, as a newer one");
  add_agent(*rollback, "agent", rollback_values->agent, "The agent")->required();
  rollback->add_option("--to", rollback_values->to, "The generation [the one before the newest]")
    ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 53))
    ->type_name("GENERATION");
  rollback->add_flag("--dry-run", rollback_values->dry_run, "Show the plan and write nothing");
  add_signing_keys(*rollback, rollback_values->keys);
  add_wait(*rollback, rollback_values->wait);
}

wait_condition condition_of(const std::string& text) {
  wait_condition condition;
  const auto equals = text.find('=');
  const auto name = text.substr(0, equals);
  const auto value = equals == std::string::npos ? "" : text.substr(equals + 1);
  const char* wanted = "converged, generation=NUMBER or phase=NAME";
  if (name == "converged" && equals == std::string::npos)
    return condition;
  if (name == "generation") {
    condition.kind = wait_condition::what::generation;
    if (value.empty() || value.size() > 15
        || value.find_first_not_of("0123456789") != std::string::npos)
      refuse("--for", text, wanted);
    condition.generation = std::stoull(value);
    return condition;
  }
  if (name == "phase") {
    condition.kind = wait_condition::what::phase;
    for (const auto p : {agent_phase::starting, agent_phase::converging, agent_phase::converged,
                         agent_phase::degraded, agent_phase::rejected})
      if (name_of(p) == value) {
        condition.phase = p;
        return condition;
      }
    wanted = "phase=Starting, Converging, Converged, Degraded or Rejected";
  }
  refuse("--for", text, wanted);
}

void declare_waits(declaration& d) {
  const auto [wait, values] =
    add_command<wait_options>(d.app, d.result, "wait", "Wait until an agent is where it should be");
  add_agent(*wait, "agent", values->agent, "The agent")->required();
  const auto into = values;
  wait
    ->add_option_function<std::string>(
      "--for", [into](const std::string& text) { into->condition = condition_of(text); },
      "What to wait for [converged]")
    ->type_name("converged|generation=N|phase=NAME");
  wait
    ->add_option_function<std::string>(
      "--timeout",
      [into](const std::string& text) { into->timeout = duration_of("--timeout", text); },
      "How long to wait [30s]")
    ->type_name("DURATION");

  const auto [check, check_values] = add_command<check_options>(
    d.app, d.result, "check", "Find out what is wrong with the store, or with a device");
  add_agent(*check, "agent", check_values->agent, "This agent too");

  const auto [watch, watch_values] = add_command<watch_options>(
    d.app, d.result, "watch", "Print each change of status until interrupted");
  add_agent(*watch, "agent", watch_values->agent, "Only this agent");
}

void declare_offline(declaration& d) {
  const auto [validate, values] =
    add_command<validate_options>(d.app, d.result, "validate", "Check manifests without a store");
  add_files(*validate, values->files);
  add_agent_override(*validate, values->agent);

  const auto [schema, schema_values] =
    add_command<schema_options>(d.app, d.result, "schema", "Print a JSON Schema");
  schema->add_option("document", schema_values->document, "manifest or status")
    ->required()
    ->check(CLI::IsMember({"manifest", "status"}))
    ->type_name("DOCUMENT");

  add_command<version_options>(d.app, d.result, "version", "Print the version");

  const auto [completion, completion_values] = add_command<completion_options>(
    d.app, d.result, "completion", "Print the completion script of a shell");
  completion->add_option("shell", completion_values->shell, "bash, zsh or fish")
    ->required()
    ->check(CLI::IsMember({"bash", "zsh", "fish"}))
    ->type_name("SHELL");
}

std::unique_ptr<declaration> declare() {
  auto d = std::make_unique<declaration>();
  d->app.require_subcommand(1);
  d->app.footer(exit_codes);
  d->app.get_formatter()->column_width(34);
  declare_global(d->app, d->result.global);
  declare_changes(*d);
  declare_history(*d);
  declare_views(*d);
  declare_waits(*d);
  declare_device_commands(*d);
  declare_failover(*d);
  declare_access(*d);
  declare_enrolment(*d);
  declare_trust(*d);
  declare_seal(*d);
  declare_offline(*d);
  return d;
}

/// What is wrong with the command line, for a person.
std::string explain(const CLI::App& app, const CLI::Error& error) {
  const auto* at = &app;
  std::string command = "harmonyctl";
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    command += " " + at->get_name();
  }
  std::string why = error.what();
  // The parser only says that a command is missing, not that it does not know the one it got.
  const auto words = app.remaining(true);
  if (error.get_name() == "RequiredError" && !words.empty() && at->get_require_subcommand_min() > 0)
    why = "unknown command '" + words.front() + "'";
  return "error: " + why + "; see '" + command + " --help'\n";
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream in{text};
  for (std::string part; std::getline(in, part, ':');)
    if (!part.empty())
      parts.push_back(part);
  return parts;
}

/// `keys` sign where the command line names none.
parsing with_keys(options o, const std::vector<std::string>& keys) {
  const auto fill = [&](auto& command) {
    if (command.keys.empty())
      command.keys = keys;
  };
  if (auto* apply = std::get_if<apply_options>(&o.command))
    fill(*apply);
  else if (auto* rollback = std::get_if<rollback_options>(&o.command))
    fill(*rollback);
  else if (auto* sign = std::get_if<sign_options>(&o.command)) {
    fill(*sign);
    if (sign->keys.empty())
      return parse_ended{true, "error: sign needs --key FILE, or HARMONY_KEY in the environment; "
                               "see 'harmonyctl sign --help'\n"};
  }
  return o;
}

command_model model_of(const CLI::App& app) {
  command_model model;
  model.name = app.get_name();
  model.help = app.get_description();
  for (const auto* option : app.get_options()) {
    flag_model flag;
    for (const auto& name : option->get_lnames())
      flag.names.push_back("--" + name);
    for (const auto& name : option->get_snames())
      flag.names.push_back("-" + name);
    if (flag.names.empty()) // an argument
      continue;
    flag.help = option->get_description();
    flag.takes_value = option->get_items_expected_max() > 0;
    model.flags.push_back(std::move(flag));
  }
  for (const auto* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    model.commands.push_back(model_of(*sub));
  return model;
}

} // namespace

parsing parse_arguments(const std::vector<std::string>& arguments,
                        const std::function<std::string(const char*)>& variable) {
  const auto d = declare();
  auto& global = d->result.global;
  const auto from_environment = [&](const char* name, std::string& into) {
    if (auto value = variable(name); !value.empty())
      into = std::move(value);
  };
  from_environment("HARMONY_STORE", global.store);
  from_environment("HARMONY_CREDS", global.credentials);
  from_environment("HARMONY_NKEY", global.nkey);
  from_environment("HARMONY_CA", global.ca_file);
  from_environment("HARMONY_CERT", global.cert_file);
  from_environment("HARMONY_CERT_KEY", global.key_file);
  global.no_color = !variable("NO_COLOR").empty();

  // The scripts' own command takes any words, so it is none of the parser's business.
  if (!arguments.empty() && arguments.front() == "__complete") {
    const bool marked = arguments.size() > 1 && arguments[1] == "--";
    d->result.command = complete_options{{arguments.begin() + (marked ? 2 : 1), arguments.end()}};
    return d->result;
  }
  try {
    d->app.parse(std::vector<std::string>{arguments.rbegin(), arguments.rend()});
    return with_keys(d->result, split(variable("HARMONY_KEY")));
  } catch (const CLI::Success& e) {
    std::ostringstream out;
    d->app.exit(e, out, out);
    return parse_ended{false, out.str()};
  } catch (const CLI::Error& e) {
    return parse_ended{true, explain(d->app, e)};
  }
}

const command_model* command_model::find(std::string_view command) const {
  for (const auto& c : commands)
    if (c.name == command)
      return &c;
  return nullptr;
}

command_model command_line() {
  return model_of(declare()->app);
}

} // namespace harmony::ctl

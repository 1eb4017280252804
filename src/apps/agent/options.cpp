#include "apps/agent/options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <map>
#include <optional>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "apps/agent/audit_parser.hpp"
#include "apps/agent/config_file.hpp"
#include "apps/agent/config_text.hpp"
#include "apps/agent/identity_folder.hpp"
#include "apps/agent/option_table.hpp"
#include "apps/agent/policy_file.hpp"
#include "model/ids.hpp"

namespace harmony {

namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr const char* default_config = "/etc/harmony-agent/agent.toml";

// --- where values come from
// -----------------------------------------------------------------------

std::string variable_of(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
    return c == '-' ? '_' : static_cast<char>(std::toupper(c));
  });
  return "HARMONY_" + name;
}

/// A value and where it stands, e.g. "--store" or "/etc/harmony-agent/agent.toml:12: store".
struct sourced {
  std::string value;
  std::string origin;
};
using values = std::map<std::string, sourced>;

struct command_line {
  values found; ///< flags and, for what no flag says, variables
  std::string config;
  std::variant<std::monostate, status_request, check_request, bundle_request, audit_request,
               enroll_request, key_request>
    command;
};

/// Adds the commands beside the agent itself; `into` is what they fill in once one is given.
struct command_parser {
  explicit command_parser(CLI::App& app) : audit(app) {
    show =
      app.add_subcommand("status", "Say in words where this device stands, without any network");
    show->add_option("resource", resource, "Only this resource")->type_name("KIND/NAME");
    check = app.add_subcommand("check", "Find out what is wrong on this device, and what to do");
    bundle = app.add_subcommand("support-bundle",
                                "Write all that is needed to find a fault as one file, without "
                                "secrets");
    enroll = app.add_subcommand("enroll", "Make this device's NATS key where there is none, and "
                                          "print what an operator needs to let it in");
    enroll->fallthrough();
    enroll
      ->add_option("--token", enrolling.token,
                   "Ask with this token, which an operator made, and wait to be let in; - is "
                   "standard input")
      ->type_name("TOKEN");
    enroll
      ->add_option_function<std::string>(
        "--wait",
        [this](const std::string& text) {
          const auto limit = parse_duration(text);
          if (!limit)
            throw CLI::ValidationError{"--wait", limit.error().message};
          enrolling.wait = *limit;
        },
        "How long to wait for an operator [10m]")
      ->type_name("TIME");
    bundle->fallthrough();
    key = app.add_subcommand("key", "Print the key that secrets for this device are sealed to");
    key->fallthrough();
    bundle
      ->add_option("--output", file, "The tar.gz [harmony-agent-ID-TIME.tar.gz, in this folder]")
      ->type_name("FILE");
    for (auto* each : {show, check}) {
      each->fallthrough();
      each->add_option("-o,--output", output, "text or json [text]")
        ->type_name("FORMAT")
        ->check(CLI::IsMember({"text", "json"}));
    }
  }

  /// Fails with invalid_spec for a resource that is none.
  outcome<void> take(command_line& into) const {
    if (check->parsed())
      into.command = check_request{{}, {}, output == "json"};
    if (bundle->parsed())
      into.command = bundle_request{{}, {}, {}, file};
    const auto audited = audit.request();
    if (!audited)
      return audited.error();
    if (*audited)
      into.command = **audited;
    if (enroll->parsed())
      into.command = enrolling;
    if (key->parsed())
      into.command = key_request{};
    if (!show->parsed())
      return {};
    status_request status;
    status.as_json = output == "json";
    if (resource_id id; parse_resource_id(resource, id))
      status.resource = id;
    else if (!resource.empty())
      return {ec::invalid_spec,
              "status: expected Kind/name, such as File/motd, got '" + resource + "'"};
    into.command = status;
    return {};
  }

  CLI::App* show;
  CLI::App* check;
  CLI::App* bundle;
  audit_parser audit;
  CLI::App* enroll;
  enroll_request enrolling;
  CLI::App* key;
  std::string file;
  std::string resource;
  std::string output = "text";
};

std::variant<command_line, early_exit> parse_command_line(int argc, const char* const* argv) {
  CLI::App app{"Harmony Agent: converges this device to its manifest.", "harmony-agent"};
  app.set_version_flag("--version", std::string{"harmony-agent "} + HARMONY_VERSION);
  app.footer("Every flag has a variable (--log-level is HARMONY_LOG_LEVEL) and a key in the "
             "configuration file.\nPrecedence: flag, variable, file, what an enrolment "
             "brought.\nSignals: TERM and INT stop, "
             "HUP reads the configuration again.");
  command_line result;
  app
    .add_option("--config", result.config,
                "Configuration file [" + std::string{default_config} + "]")
    ->envname("HARMONY_CONFIG")
    ->type_name("FILE");
  std::map<std::string, std::string> flags;
  for (const auto& each : option_table()) {
    const auto flag = "--" + std::string{each.name};
    app.add_option(flag, flags[each.name], each.help)
      ->type_name(each.value)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
  command_parser commands{app};
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    std::ostringstream out;
    const auto code = app.exit(e, out, out);
    return early_exit{code == 0 ? 0 : 2, out.str()};
  }
  if (auto taken = commands.take(result); !taken)
    return early_exit{2, "harmony-agent: " + taken.error().message + "\n"};
  for (const auto& each : option_table()) {
    const auto flag = "--" + std::string{each.name};
    const auto variable = variable_of(each.name);
    if (app.get_option(flag)->count() > 0)
      result.found[each.name] = {flags[each.name], flag};
    else if (const char* v = std::getenv(variable.c_str()); v != nullptr)
      result.found[each.name] = {v, variable};
  }
  return result;
}

/// Adds what the file says and neither flag nor variable did.
outcome<void> add_file(std::string_view toml, const std::string& path, values& into) {
  auto entries = read_config_entries(toml, path);
  if (!entries)
    return entries.error();
  for (auto& e : *entries) {
    const auto known = std::any_of(option_table().begin(), option_table().end(),
                                   [&](const option_entry& o) { return e.key == o.name; });
    const auto origin = path + ":" + std::to_string(e.line) + ": " + e.key;
    if (!known)
      return {ec::invalid_spec, origin + ": there is no such option; see --help"};
    into.try_emplace(e.key, sourced{std::move(e.value), origin});
  }
  return {};
}

/// Adds what this device enrolled for, where nothing else was said.
outcome<void> add_enrolled(values& into) {
  const auto state = into.find("state-dir");
  const auto path =
    enrolled_settings(state == into.end() ? agent_options{}.state_dir : state->second.value);
  std::error_code ignored;
  if (!fs::exists(path, ignored))
    return {};
  const auto text = read_config_text(path);
  if (!text)
    return text.error();
  return add_file(*text, path, into);
}

std::string host_name() {
  std::array<char, 256> buffer{};
  if (gethostname(buffer.data(), buffer.size() - 1) != 0)
    return {};
  std::string name{buffer.data()};
  name = name.substr(0, name.find('.'));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

/// Gives `into` what was said where. Fails at the first fault, with what came before it taken over;
/// with wrong_agent where nothing but the id is missing.
outcome<void> apply(command_line& line, agent_options& into) {
  std::error_code ignored;
  if (line.config.empty() && fs::exists(default_config, ignored))
    line.config = default_config;
  std::string toml; // read once, so that all of it is of the same file
  if (!line.config.empty()) {
    auto text = read_config_text(line.config);
    if (!text)
      return text.error();
    toml = std::move(*text);
    if (auto added = add_file(toml, line.config, line.found); !added)
      return added;
  }
  if (auto* enroll = std::get_if<enroll_request>(&line.command)) {
    for (const auto* name : {"agent-id", "store", "store-credentials", "store-nkey", "store-ca"})
      if (const auto it = line.found.find(name);
          it != line.found.end() && !it->second.value.empty())
        enroll->set[name] = {it->second.value, it->second.origin};
  }
  if (auto added = add_enrolled(line.found); !added)
    return added;
  into.config = line.config;
  for (const auto& each : option_table()) {
    const auto it = line.found.find(each.name);
    if (it == line.found.end())
      continue;
    if (auto set = each.set(into, it->second.value); !set)
      return {set.error().code, it->second.origin + ": " + set.error().message};
  }
  if (!into.config.empty()) {
    auto trust = read_trust(toml, into.config);
    if (!trust)
      return trust.error();
    into.trust = std::move(*trust);
    auto policy = read_policy(toml, into.config);
    if (!policy)
      return policy.error();
    into.policy = std::move(*policy);
  }
  if (!into.agent_id.empty())
    return {};
  into.agent_id = host_name();
  if (is_name(into.agent_id))
    return {};
  return {ec::wrong_agent, "--agent-id is needed: the host name '" + into.agent_id
                             + "' is no valid id (1 to 63 of a-z, 0-9 and '-')"};
}

} // namespace

outcome<milliseconds> parse_duration(std::string_view text) {
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit{end, static_cast<std::size_t>(text.data() + text.size() - end)};
  static const std::map<std::string_view, std::uint64_t> factors{
    {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}};
  const auto factor = factors.find(unit);
  if (error != std::errc{} || factor == factors.end() || count > 1'000'000'000)
    return failure{ec::invalid_spec,
                   "expected a duration like \"10s\", got '" + std::string{text} + "'"};
  return milliseconds{count * factor->second};
}

parsed_options read_options(int argc, const char* const* argv) {
  auto parsed = parse_command_line(argc, argv);
  if (auto* exit = std::get_if<early_exit>(&parsed))
    return *exit;
  auto& line = std::get<command_line>(parsed);
  agent_options result;
  auto whole = apply(line, result);
  if (auto* check = std::get_if<check_request>(&line.command)) {
    check->fault = whole ? "" : whole.error().message;
    check->options = std::move(result);
    return *check;
  }
  if (auto* bundle = std::get_if<bundle_request>(&line.command)) {
    bundle->fault = whole ? "" : whole.error().message;
    bundle->options = std::move(result);
    for (const auto& [name, from] : line.found)
      bundle->given.push_back({name, from.value, from.origin});
    return *bundle;
  }
  if (auto* status = std::get_if<status_request>(&line.command);
      status != nullptr && (whole || whole.error().code == ec::wrong_agent)) {
    status->state_dir = result.state_dir;
    return *status;
  }
  if (auto* audit = std::get_if<audit_request>(&line.command);
      audit != nullptr
      && (whole || whole.error().code == ec::wrong_agent || !audit->file.empty())) {
    audit->state_dir = result.state_dir;
    return *audit;
  }
  if (auto* key = std::get_if<key_request>(&line.command);
      key != nullptr && (whole || whole.error().code == ec::wrong_agent)) {
    key->state_dir = result.state_dir;
    return *key;
  }
  if (auto* enroll = std::get_if<enroll_request>(&line.command);
      enroll != nullptr
      && (whole || (whole.error().code == ec::wrong_agent && !enroll->token.empty()))) {
    enroll->named = line.found.contains("agent-id");
    enroll->agent_id = whole ? result.agent_id : std::string{}; // a token may name it
    enroll->key_file = result.store_nkey;
    enroll->options = std::move(result);
    return *enroll;
  }
  if (!whole)
    return early_exit{2, "harmony-agent: " + whole.error().message + "\n"};
  return result;
}

} // namespace harmony

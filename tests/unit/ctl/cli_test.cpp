#include "apps/ctl/cli.hpp"

#include "apps/ctl/exit_code.hpp"
#include "support/catch.hpp"

namespace harmony::ctl {

namespace {

std::string no_variable(const char* /*name*/) {
  return {};
}

options parsed(const std::vector<std::string>& arguments) {
  auto result = parse_arguments(arguments, no_variable);
  if (const auto* ended = std::get_if<parse_ended>(&result))
    FAIL(ended->text);
  return std::get<options>(result);
}

std::string refused(const std::vector<std::string>& arguments) {
  auto result = parse_arguments(arguments, no_variable);
  const auto* ended = std::get_if<parse_ended>(&result);
  return ended != nullptr && ended->wrong ? ended->text : "accepted";
}

TEST_CASE("cli: no options -> the defaults") {
  const auto o = parsed({"get", "agents"});
  CHECK(o.global.store == "dir:/var/lib/harmony/store");
  CHECK(o.global.format == output_format::table);
  CHECK(o.global.timeout == milliseconds{10'000});
  CHECK_FALSE(o.global.no_color);
  CHECK(std::get<get_options>(o.command).kind == get_options::what::agents);
}

TEST_CASE("cli: environment -> stands in for options that are not given") {
  const auto variable = [](const char* name) {
    const std::string_view n{name};
    return std::string{n == "HARMONY_STORE"   ? "nats://a:1"
                       : n == "HARMONY_CREDS" ? "/c"
                       : n == "HARMONY_CA"    ? "/ca"
                       : n == "NO_COLOR"      ? "1"
                                              : ""};
  };
  const auto plain = std::get<options>(parse_arguments({"version"}, variable)).global;
  CHECK(plain.store == "nats://a:1");
  CHECK(plain.credentials == "/c");
  CHECK(plain.ca_file == "/ca");
  CHECK(plain.no_color);
  const auto given = std::get<options>(parse_arguments({"-s", "dir:/x", "version"}, variable));
  CHECK(given.global.store == "dir:/x");
}

TEST_CASE("cli: global options -> before and after the command") {
  for (const auto& line : std::vector<std::vector<std::string>>{
         {"--store", "dir:/x", "-o", "json", "--timeout", "2s", "get", "resources", "pi-1"},
         {"get", "--store=dir:/x", "-ojson", "resources", "pi-1", "--timeout=2000ms"},
         {"get", "resources", "pi-1", "--store", "dir:/x", "--output", "json", "--timeout", "2"}}) {
    const auto o = parsed(line);
    CHECK(o.global.store == "dir:/x");
    CHECK(o.global.format == output_format::json);
    CHECK(o.global.timeout == milliseconds{2'000});
    CHECK(std::get<get_options>(o.command).agent == "pi-1");
  }
}

TEST_CASE("cli: apply -> several files, optional wait that swallows nothing") {
  const auto o = std::get<apply_options>(
    parsed({"apply", "-f", "a", "--file", "b", "-f", "-", "--wait", "--force"}).command);
  CHECK(o.files == std::vector<std::string>{"a", "b", "-"});
  CHECK(o.wait == milliseconds{60'000});
  CHECK(o.force);
  CHECK_FALSE(o.dry_run);
  const auto given = [](const std::string& wait) {
    return std::get<apply_options>(parsed({"apply", "-f", "a", wait}).command).wait;
  };
  CHECK(given("--wait=30s") == milliseconds{30'000});
  CHECK(given("--dry-run") == std::nullopt);
}

TEST_CASE("cli: wait -> condition and a timeout of its own") {
  const auto waits = [](const std::string& condition) {
    return std::get<wait_options>(parsed({"wait", "pi-1", condition}).command).condition;
  };
  CHECK(waits("--for=converged") == wait_condition{});
  CHECK(waits("--for=generation=7")
        == wait_condition{wait_condition::what::generation, 7, agent_phase::converged});
  CHECK(waits("--for=phase=Degraded")
        == wait_condition{wait_condition::what::phase, 0, agent_phase::degraded});
  const auto o = parsed({"wait", "pi-1", "--timeout", "1m"});
  CHECK(std::get<wait_options>(o.command).timeout == milliseconds{60'000});
  CHECK(o.global.timeout == milliseconds{10'000});
  CHECK(std::get<wait_options>(parsed({"wait", "pi-1"}).command).timeout == milliseconds{30'000});
}

TEST_CASE("cli: describe -> an agent, or a resource of it") {
  const auto agent = std::get<describe_options>(parsed({"describe", "agent", "pi"}).command);
  CHECK(agent.agent == "pi");
  CHECK_FALSE(agent.resource);
  const auto one =
    std::get<describe_options>(parsed({"describe", "resource", "pi", "File/motd"}).command);
  REQUIRE(one.resource);
  CHECK(one.resource->str() == "File/motd");
}

TEST_CASE("cli: wrong lines -> refused, naming what is wrong and where help is") {
  struct row {
    std::vector<std::string> line;
    std::string says;
  };
  for (const auto& [line, says] : std::vector<row>{
         {{}, "A subcommand is required; see 'harmonyctl --help'"},
         {{"frobnicate"}, "unknown command 'frobnicate'; see 'harmonyctl --help'"},
         {{"get"}, "see 'harmonyctl get --help'"},
         {{"get", "agents", "--nope"}, "--nope; see 'harmonyctl get agents --help'"},
         {{"apply"}, "--file is required; see 'harmonyctl apply --help'"},
         {{"apply", "-f", "a", "b"}, "b; see 'harmonyctl apply --help'"},
         {{"apply", "-f", "a", "--wait=x"}, "got 'x', expected a duration such as 30s"},
         {{"apply", "-f", "a", "--agent", "Pi"}, "got 'Pi', expected an agent id"},
         {{"get", "manifest"}, "agent is required"},
         {{"get", "resources", "a/b"}, "got 'a/b', expected an agent id"},
         {{"describe", "resource", "pi", "motd"}, "got 'motd', expected Kind/name"},
         {{"wait", "pi", "--for", "x"}, "got 'x', expected converged, generation=NUMBER or phase"},
         {{"wait", "pi", "--for", "generation="}, "expected converged, generation=NUMBER"},
         {{"wait", "pi", "--for", "phase=Nice"}, "expected phase=Starting, Converging"},
         {{"wait", "pi", "--timeout", "soon"}, "got 'soon', expected a duration"},
         {{"-o", "xml", "version"}, "got 'xml', expected table, json or yaml"},
         {{"schema", "thing"}, "thing"},
         {{"completion", "tcsh"}, "tcsh"},
       }) {
    CAPTURE(says);
    const auto text = refused(line);
    CHECK(text.rfind("error: ", 0) == 0);
    CHECK(text.find(says) != std::string::npos);
    CHECK(text.back() == '\n');
  }
}

TEST_CASE("cli: --help -> not wrong, of the command that was asked about") {
  const auto help = [](const std::vector<std::string>& line) {
    const auto result = parse_arguments(line, no_variable);
    const auto* ended = std::get_if<parse_ended>(&result);
    REQUIRE(ended != nullptr);
    CHECK_FALSE(ended->wrong);
    return ended->text;
  };
  CHECK(help({"--help"}).find("Subcommands:") != std::string::npos);
  CHECK(help({"apply", "--help"}).find("--dry-run") != std::string::npos);
  CHECK(help({"--help"}).find("6 invalid document") != std::string::npos);
}

TEST_CASE("cli: its own model -> every command and flag") {
  const auto root = command_line();
  REQUIRE(root.find("wait") != nullptr);
  REQUIRE(root.find("get") != nullptr);
  CHECK(root.find("get")->find("manifest") != nullptr);
  bool takes_value = false;
  for (const auto& f : root.find("wait")->flags)
    if (f.names.front() == "--for")
      takes_value = f.takes_value;
  CHECK(takes_value);
  CHECK(root.find("__complete") == nullptr);
}

TEST_CASE("exit_code: reasons -> the documented numbers") {
  CHECK(static_cast<int>(exit_code_of(ec::store_unavailable)) == 1);
  CHECK(static_cast<int>(exit_code_of(ec::not_found)) == 3);
  CHECK(static_cast<int>(exit_code_of(ec::conflict)) == 4);
  CHECK(static_cast<int>(exit_code_of(ec::timed_out)) == 5);
  CHECK(static_cast<int>(exit_code_of(ec::invalid_document)) == 6);
  CHECK(static_cast<int>(exit_code_of(ec::duplicate_name)) == 6);
}

} // namespace

} // namespace harmony::ctl

#include "apps/ctl/cli_parts.hpp"

#include "apps/ctl/durations.hpp"

namespace harmony::ctl {

namespace {

constexpr const char* default_wait = "60s";

} // namespace

void refuse(const std::string& what, const std::string& got, const std::string& wanted) {
  throw CLI::ValidationError(what, "got '" + got + "', expected " + wanted);
}

milliseconds duration_of(const std::string& what, const std::string& text) {
  const auto value = parse_duration(text);
  if (!value)
    refuse(what, text, "a duration such as 30s, 2m or 500ms");
  return *value;
}

CLI::Option* add_agent(CLI::App& to, const std::string& name, std::string& into,
                       const std::string& help) {
  return to
    .add_option_function<std::string>(
      name,
      [name, &into](const std::string& text) {
        if (!is_name(text))
          refuse(name, text,
                 "an agent id: lower-case letters, digits and inner hyphens, at most 63");
        into = text;
      },
      help)
    ->type_name("AGENT");
}

CLI::Option* add_resource(CLI::App& to, std::optional<resource_id>& into, const std::string& help) {
  return to
    .add_option_function<std::string>(
      "resource",
      [&into](const std::string& text) {
        resource_id id;
        if (!parse_resource_id(text, id))
          refuse("resource", text, "Kind/name, such as File/motd");
        into = id;
      },
      help)
    ->type_name("KIND/NAME");
}

void add_wait(CLI::App& to, std::optional<milliseconds>& into, const std::string& until) {
  to.add_option_function<std::string>(
      "--wait",
      [&into](const std::string& text) {
        into = duration_of("--wait", text.empty() ? default_wait : text);
      },
      "Wait until " + until + ", at most so long [60s]")
    ->expected(0, 1)
    ->type_name("[DURATION]");
}

} // namespace harmony::ctl

// Commands that need no store: schema, validate, version, completion.
#include <algorithm>
#include <istream>
#include <ostream>

#include "apps/ctl/commands.hpp"
#include "apps/ctl/completion.hpp"

#ifndef HARMONY_VERSION
#error "HARMONY_VERSION is set by the build"
#endif

namespace harmony::ctl {

namespace {

std::string count_of(std::size_t n, const std::string& what) {
  return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

json value_of(const diagnostic& d) {
  return {{"source", d.source}, {"line", d.at.line},           {"column", d.at.column},
          {"path", d.path},     {"reason", reason_of(d.code)}, {"message", d.message}};
}

} // namespace

exit_code run(const context& c, const schema_options& o) {
  const auto text = json_schema(o.document == "status" ? "AgentStatus" : "AgentManifest");
  const auto value = json::parse(text, nullptr, false);
  if (value.is_discarded())
    return c.fail(exit_code::failure, "this build has no schema of '" + o.document + "'");
  // A schema is JSON by nature; YAML only for those who ask.
  c.print(render(value, c.global.format == output_format::yaml ? output_format::yaml
                                                               : output_format::json));
  return exit_code::ok;
}

exit_code run(const context& c, const validate_options& o) {
  const auto read = load_manifests({o.files, o.agent}, c.env.in);
  if (!read)
    return c.fail(read.error());
  if (c.as_table()) {
    for (const auto& d : read->diagnostics)
      c.env.err << printable(d.str()) << "\n";
    for (const auto& m : read->manifests)
      c.print(m.source + ": valid: manifest of '" + m.value.metadata.agent + "' with "
              + count_of(m.value.resources.size(), "resource") + "\n");
  } else {
    auto issues = json::array();
    for (const auto& d : read->diagnostics)
      issues.push_back(value_of(d));
    c.print_value(issues);
  }
  if (read->diagnostics.empty())
    return exit_code::ok;
  return c.fail(exit_code::invalid_document,
                "not valid: " + count_of(read->diagnostics.size(), "fault")
                  + "; correct what is listed above");
}

exit_code run(const context& c, const version_options& /*o*/) {
  if (c.as_table())
    c.print("harmonyctl " HARMONY_VERSION "\n");
  else
    c.print_value(json{{"name", "harmonyctl"}, {"version", HARMONY_VERSION}});
  return exit_code::ok;
}

exit_code run(const context& c, const completion_options& o) {
  c.print(completion_script(o.shell));
  return exit_code::ok;
}

exit_code run(const context& c, const complete_options& o) {
  const auto wanted = complete(o.words);
  auto candidates = wanted.candidates;
  if (wanted.agents) {
    // Completion is an offer: without a store it offers nothing, and says nothing.
    constexpr milliseconds patience{1'000};
    auto global = c.global;
    if (!wanted.store.empty())
      global.store = wanted.store;
    const budget time{patience};
    if (const auto from = connect(global, c.env, time))
      if (const auto ids = agent_ids(**from, time))
        for (const auto& id : *ids)
          if (id.rfind(wanted.prefix, 0) == 0)
            candidates.push_back(id);
  }
  std::string text;
  for (const auto& candidate : candidates)
    text += candidate + "\n";
  c.print(text);
  return exit_code::ok;
}

} // namespace harmony::ctl

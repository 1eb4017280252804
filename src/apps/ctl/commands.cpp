#include "apps/ctl/commands.hpp"

#include <istream>
#include <ostream>

#include "apps/ctl/cli.hpp"

namespace harmony::ctl {

void context::print(const std::string& text) const {
  env.out << text << std::flush;
}

void context::print_value(const json& value) const {
  print(render(value, global.format));
}

exit_code context::fail(const failure& why) const {
  return fail(exit_code_of(why.code), why.message);
}

exit_code context::fail(exit_code code, const std::string& message) const {
  const bool colour = env.err_is_terminal && !global.no_color;
  env.err << coloured("error:", tone::bad, colour) << " " << printable(message, false) << "\n"
          << std::flush;
  return code;
}

loaded load(const context& c, const std::vector<std::string>& files, const std::string& agent) {
  auto read = load_manifests({files, agent}, c.env.in);
  if (!read)
    return {{}, c.fail(read.error())};
  for (const auto& d : read->diagnostics)
    c.env.err << printable(d.str()) << "\n";
  if (!read->diagnostics.empty()) {
    const auto count = read->diagnostics.size();
    return {{},
            c.fail(exit_code::invalid_document,
                   "nothing was done: " + std::to_string(count)
                     + (count == 1 ? " fault in the manifest" : " faults in the manifests")
                     + "; correct what is listed above")};
  }
  return {std::move(read->manifests), exit_code::ok};
}

int run(const std::vector<std::string>& arguments, environment& env) {
  const auto parsed = parse_arguments(arguments, env.variable);
  if (const auto* ended = std::get_if<parse_ended>(&parsed)) {
    (ended->wrong ? env.err : env.out) << ended->text << std::flush;
    return static_cast<int>(ended->wrong ? exit_code::usage : exit_code::ok);
  }
  const auto& given = std::get<options>(parsed);
  const context c{given.global, env, budget{given.global.timeout}};
  const auto code = std::visit([&](const auto& command) { return run(c, command); }, given.command);
  env.out.flush();
  if (!env.out && code == exit_code::ok)
    return static_cast<int>(
      c.fail(exit_code::failure, "cannot write the output: the disk may be full, or the reader of "
                                 "the pipe gone"));
  return static_cast<int>(code);
}

} // namespace harmony::ctl

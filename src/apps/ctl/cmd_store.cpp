// init and delete.
#include <istream>
#include <ostream>

#include "apps/ctl/commands.hpp"

namespace harmony::ctl {

bool confirmed(const context& c, const std::string& question) {
  c.env.err << question << " [y/N] " << std::flush;
  std::string answer;
  std::getline(c.env.in, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

namespace {

/// The generation of the manifest that is about to go, for the message; it may not be readable.
std::string generation_text(const std::string& document) {
  const auto reading = read_manifest(unseal(document).payload);
  return reading.value ? " (generation " + std::to_string(reading.value->metadata.generation) + ")"
                       : "";
}

} // namespace

exit_code run(const context& c, const init_options& /*o*/) {
  const auto to = c.connected();
  if (!to)
    return c.fail(to.error());
  const auto done = (*to)->prepare(c.time.left());
  if (!done)
    return c.fail(done.error());
  c.print("store '" + shown_url(c.global.store) + "' is ready\n");
  return exit_code::ok;
}

exit_code run(const context& c, const delete_options& o) {
  const auto from = c.connected();
  if (!from)
    return c.fail(from.error());
  const auto entry = (*from)->get(bucket::desired_state, o.agent, c.time.left());
  if (!entry)
    return c.fail(entry.error());
  if (!*entry)
    return c.fail(exit_code::not_found,
                  "no manifest for '" + o.agent + "' in the store; see 'harmonyctl get agents'");
  const auto generation = generation_text((*entry)->value);
  if (c.env.in_is_terminal && !o.yes
      && !confirmed(c, "Delete the manifest of '" + o.agent + "'" + generation + "?"))
    return c.fail(exit_code::failure, "not deleted: not confirmed");
  // Reading the answer may have taken longer than the command's own time.
  const auto done =
    (*from)->remove(bucket::desired_state, o.agent, (*entry)->revision, c.global.timeout);
  if (!done)
    return c.fail(exit_code_of(done.error().code),
                  done.error().code == ec::conflict
                    ? "the manifest of '" + o.agent
                        + "' was changed meanwhile and is not deleted; look at it "
                          "and try again"
                    : done.error().message);
  c.print("manifest of '" + o.agent + "' deleted" + generation
          + "\nIts workloads keep running as they are: a missing manifest never stops anything.\n"
            "To remove them, apply a manifest without resources and wait for it first.\n");
  return exit_code::ok;
}

} // namespace harmony::ctl

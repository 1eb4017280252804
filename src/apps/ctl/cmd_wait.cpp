#include "apps/ctl/commands.hpp"
#include "apps/ctl/progress.hpp"
#include "apps/ctl/wait.hpp"

namespace harmony::ctl {

exit_code run(const context& c, const wait_options& o) {
  const budget all{o.timeout};
  const auto from = connect(c.global, c.env, all);
  if (!from)
    return c.fail(from.error());
  progress_line progress{c.env.err, c.env.err_is_terminal};
  wait_request request{o.agent, o.condition, all.end(), {}, {}};
  request.on_progress = [&](const wait_verdict& v) {
    progress.show("waiting for '" + o.agent + "': " + v.progress);
  };
  const auto done = wait_for(**from, request);
  progress.clear();
  if (!done)
    return c.fail(done.error());
  if (c.as_table())
    c.print("'" + o.agent + "' is " + describe(o.condition) + " (generation "
            + std::to_string(done->status->observed_generation) + ", "
            + std::string{name_of(done->status->phase)} + ")\n");
  else
    c.print_value(json{{"agent", o.agent},
                       {"condition", describe(o.condition)},
                       {"observedGeneration", done->status->observed_generation},
                       {"phase", name_of(done->status->phase)}});
  return exit_code::ok;
}

} // namespace harmony::ctl

// history and rollback.
#include <set>

#include "apps/ctl/commands.hpp"
#include "apps/ctl/view.hpp"

namespace harmony::ctl {

namespace {

/// A manifest that the store still has.
struct former {
  manifest value;
  std::set<std::string> signers; ///< ids of keys, as the envelope has them
  std::chrono::system_clock::time_point written;
};

/// Newest first; what cannot be read (an older format, rubbish) is left out.
outcome<std::vector<former>> read_history(const context& c, store& from, const std::string& agent) {
  auto entries = from.history(bucket::desired_state, agent, c.time.left());
  if (!entries)
    return entries.error();
  std::vector<former> all;
  for (const auto& e : *entries) {
    const auto document = unseal(e.value);
    if (auto reading = read_manifest(document.payload); reading.value)
      all.push_back({std::move(*reading.value), signers_of(document), e.written});
  }
  if (all.empty())
    return {ec::not_found, "the store has no manifest of '" + agent + "', and had none"};
  return all;
}

/// What is to be said of a generation, from the agent's status.
cell note_of(const former& f, bool newest, const std::optional<agent_status>& status) {
  if (!status)
    return cell::of(newest ? "desired" : "");
  const auto generation = f.value.metadata.generation;
  if (generation == status->observed_generation)
    return cell::of("in force, " + std::string{name_of(status->phase)},
                    tone_of(name_of(status->phase)));
  if (!newest)
    return cell::of("");
  for (const auto& condition : status->conditions)
    if (condition.type == "ManifestAccepted" && condition.status == condition_state::false_)
      return cell::of("refused, " + condition.reason, tone::bad);
  return cell::of("desired", tone::busy);
}

} // namespace

exit_code run(const context& c, const history_options& o) {
  const auto from = c.connected();
  if (!from)
    return c.fail(from.error());
  const auto all = read_history(c, **from, o.agent);
  if (!all)
    return c.fail(all.error());
  const auto record = read_agent(**from, o.agent, c.time, false);
  if (!record)
    return c.fail(record.error());
  listing rows;
  rows.columns = {{"GENERATION", "generation"}, {"WRITTEN", "written"},
                  {"RESOURCES", "resources"},   {"CONTENT", "content"},
                  {"SIGNATURES", "signedBy"},   {"NOTE", "note"}};
  for (std::size_t i = 0; i < all->size(); ++i) {
    const auto& f = (*all)[i];
    const auto generation = f.value.metadata.generation;
    const auto count = f.value.resources.size() + f.value.rejected.size();
    const auto hash = content_hash(f.value);
    rows.rows.push_back({cell::of(std::to_string(generation), json(generation)),
                         cell::of(ago(f.written, c.env.now()),
                                  json(format_time(std::chrono::floor<milliseconds>(f.written)))),
                         cell::of(std::to_string(count), json(count)),
                         cell::of(hash.substr(0, 19), json(hash)),
                         cell::of(std::to_string(f.signers.size()), json(f.signers)),
                         note_of(f, i == 0, record->status)});
  }
  c.print(render(rows, c.global.format, c.colour()));
  return exit_code::ok;
}

exit_code run(const context& c, const rollback_options& o) {
  const auto to = c.connected();
  if (!to)
    return c.fail(to.error());
  const auto all = read_history(c, **to, o.agent);
  if (!all)
    return c.fail(all.error());
  std::string known;
  for (const auto& f : *all) {
    const auto generation = f.value.metadata.generation;
    const bool wanted = o.to == 0 ? &f != all->data() : generation == o.to;
    if (wanted)
      return publish_all(c, **to, {{"history", f.value, true, {}}},
                         {false, o.dry_run, o.wait, o.keys});
    known += (known.empty() ? "" : ", ") + std::to_string(generation);
  }
  return c.fail(exit_code::not_found,
                o.to == 0 ? "the store has no generation of '" + o.agent + "' before the newest"
                          : "generation " + std::to_string(o.to) + " of '" + o.agent
                              + "' is not in the store any more; it has " + known);
}

} // namespace harmony::ctl

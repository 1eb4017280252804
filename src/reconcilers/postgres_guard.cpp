#include "reconcilers/postgres_guard.hpp"

#include <algorithm>
#include <system_error>

#include "reconcilers/systemd_unit.hpp"
#include "reconcilers/systemd_unit_failure.hpp"

namespace harmony {

namespace {

constexpr std::string_view conf_suffix = ".conf";
constexpr std::string_view data_key = "HARMONY_PGGUARD_DATA_DIR=";

wait_limit limit_of(const op_context& ctx) {
  return {ctx.cancel, ctx.deadline};
}

/// As a value of an EnvironmentFile=; systemd.exec(5). Precondition: one line.
std::string quoted(const std::string& value) {
  std::string text = "\"";
  for (const char c : value) {
    if (std::string_view{"\"\\`$"}.find(c) != std::string_view::npos)
      text += '\\';
    text += c;
  }
  return text + "\"";
}

bool is_going(const std::string& active_state) {
  return active_state == "active" || active_state == "activating" || active_state == "reloading";
}

} // namespace

std::string postgres_guard::unit_of(std::string_view cluster) {
  return "harmony-pgguard@" + std::string{cluster} + ".service";
}

std::string postgres_guard::content_of(const postgres_cluster_spec& spec) {
  return std::string{data_key} + quoted(spec.data_dir) + "\n";
}

std::string_view postgres_guard::data_line(std::string_view content) {
  while (!content.empty()) {
    const auto line = content.substr(0, content.find('\n'));
    if (line.substr(0, data_key.size()) == data_key)
      return line;
    content.remove_prefix(std::min(line.size() + 1, content.size()));
  }
  return {};
}

outcome<postgres_guard_observed> postgres_guard::observe(const desired<postgres_cluster_spec>& want,
                                                         const op_context& ctx) const {
  postgres_guard_observed seen;
  seen.managed = config_.managed;
  if (!seen.managed)
    return seen;
  const auto path = conf_of(want.spec.cluster);
  seen.path = path.string();
  auto file = read_unit_file(path);
  if (!file)
    return file.error();
  const auto marker = unit_marker(ctx.agent, want.id);
  seen.conf = owner_of(*file, marker);
  if (seen.conf == unit_file_owner::ours)
    seen.content = file->content.substr(marker.size());
  auto properties = manager_->properties(unit_of(want.spec.cluster), true, limit_of(ctx));
  if (!properties)
    return properties.error();
  seen.unit = std::move(*properties);
  return seen;
}

outcome<void> postgres_guard::bring_up(const desired<postgres_cluster_spec>& want,
                                       const postgres_guard_observed& now, const op_context& ctx) {
  const auto unit = unit_of(want.spec.cluster);
  const auto content = content_of(want.spec);
  if (now.conf != unit_file_owner::ours || now.content != content) {
    const auto how = now.conf == unit_file_owner::ours ? overwrite::yes : overwrite::no;
    if (auto done = write_unit_file(now.path, unit_marker(ctx.agent, want.id) + content, how);
        !done)
      return done;
  }
  if (now.unit.unit_file_state != "enabled")
    if (auto done = manager_->enable(unit, limit_of(ctx)); !done)
      return done;
  return start(unit, ctx);
}

outcome<void> postgres_guard::start(const std::string& unit, const op_context& ctx) {
  auto now = manager_->properties(unit, false, limit_of(ctx));
  if (!now)
    return now.error();
  if (is_going(now->active_state))
    return {};
  if (now->active_state == "failed")
    if (auto done = manager_->reset_failed(unit, limit_of(ctx)); !done)
      return done;
  const auto ended = manager_->run(unit_job::start, unit, limit_of(ctx));
  if (!ended)
    return ended.error();
  if (*ended == "done")
    return {};
  now = manager_->properties(unit, false, limit_of(ctx));
  if (now && is_going(now->active_state))
    return {}; // it is tried again each second: a member that joins has no data yet
  return explain_job(*manager_, unit_job::start, unit, *ended, limit_of(ctx));
}

outcome<void> postgres_guard::stop(const std::string& cluster, const op_context& ctx) {
  return systemd_unit::stop(*manager_, unit_of(cluster), limit_of(ctx));
}

outcome<void> postgres_guard::remove(const owned_target& owned, const op_context& ctx) {
  const auto& cluster = owned.target;
  const auto path = conf_of(cluster);
  const auto file = read_unit_file(path);
  if (!file)
    return file.error();
  const auto owner = owner_of(*file, unit_marker(ctx.agent, owned.owner));
  if (owner == unit_file_owner::foreign || owner == unit_file_owner::masked)
    return {}; // somebody took its place: not ours to touch
  if (auto done = stop(cluster, ctx); !done)
    return done;
  if (auto done = manager_->disable(unit_of(cluster), limit_of(ctx)); !done)
    return done;
  if (auto done = remove_unit_file(path); !done)
    return done;
  return manager_->reset_failed(unit_of(cluster), limit_of(ctx));
}

std::optional<failure> postgres_guard::why_ended(const std::string& cluster,
                                                 const op_context& ctx) const {
  return config_.managed ? explain_state(*manager_, unit_of(cluster), limit_of(ctx)) : std::nullopt;
}

std::vector<owned_target> postgres_guard::marked(const op_context& ctx) const {
  std::vector<owned_target> found;
  std::error_code error;
  std::filesystem::directory_iterator each{config_.folder, error};
  for (; config_.managed && !error && each != std::filesystem::directory_iterator{};
       each.increment(error)) {
    if (each->path().extension() != conf_suffix)
      continue;
    const auto file = read_unit_file(each->path());
    if (!file || file->what != unit_file::kind::regular)
      continue;
    if (auto owner = marked_resource(file->content, ctx.agent, "PostgresCluster"))
      found.push_back({std::move(*owner), each->path().stem().string(), true, {}});
  }
  return found; // without the folder there are none
}

} // namespace harmony

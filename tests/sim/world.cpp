#include "sim/world.hpp"

#include <array>
#include <cstdlib>

#include <spdlog/spdlog.h>

namespace harmony::test {

std::string fake_driver::target_of(const resource_spec& spec) {
  if (const auto* file = std::get_if<file_spec>(&spec))
    return file->path;
  if (const auto* folder = std::get_if<directory_spec>(&spec))
    return folder->path;
  return std::get<systemd_unit_spec>(spec).unit;
}

namespace {

// The former places of `id`, as driver_of finds them.
std::vector<owned_target> leftovers(const resource_id& id, const std::string& target,
                                    const op_context& ctx) {
  auto all = ctx.owned.of(id);
  std::erase_if(all, [&](const owned_target& t) { return t.target == target; });
  return all;
}

} // namespace

outcome<observation> fake_driver::observe(const desired<resource_spec>& want, op_context& ctx) {
  observation seen;
  const auto target = target_of(want.spec);
  if (const auto blind = device_.unseen.find(target); blind != device_.unseen.end())
    return blind->second;
  const auto it = device_.things.find(target);
  device_.seen[target] = it == device_.things.end() ? std::string{} : it->second.revision;
  if (it == device_.things.end())
    seen.changes.push_back({action::create, "content", "", want.revision});
  else if (it->second.revision != want.revision)
    seen.changes.push_back({action::update, "content", it->second.revision, want.revision});
  else if (it->second.restart_stamp != want.restart_stamp)
    seen.changes.push_back({action::restart, "restartOn", "", ""});
  for (const auto& left : leftovers(want.id, target, ctx))
    seen.changes.push_back({action::remove, "(former target)", left.target, ""});
  if (it != device_.things.end())
    seen.state = file_state{it->second.revision, "0644"};
  return seen;
}

outcome<void> fake_driver::apply(const desired<resource_spec>& want,
                                 const std::vector<change>& todo, op_context& ctx) {
  const auto target = target_of(want.spec);
  if (device_.hanging.count(target) != 0 && !ctx.cancel.stop_requested())
    throw hangs{};
  if (const auto it = device_.broken.find(target); it != device_.broken.end()) {
    device_.log.push_back("fail " + target);
    return it->second;
  }
  if (auto claimed = ctx.owned.claim({want.id, target, true, {}}); !claimed)
    return claimed;
  const bool restart = todo.size() == 1 && todo.front().what == action::restart;
  device_.log.push_back((restart ? "restart " : "apply ") + target);
  if (device_.ending.count(target) == 0)
    device_.things[target] = {want.revision, want.restart_stamp};
  for (const auto& left : leftovers(want.id, target, ctx))
    if (auto done = remove(left, ctx); !done)
      return done;
  return {};
}

std::optional<failure> fake_driver::why_ended(const desired<resource_spec>& want, op_context&) {
  const auto it = device_.ending.find(target_of(want.spec));
  return it == device_.ending.end() ? std::nullopt : std::optional{it->second};
}

outcome<void> fake_driver::remove(const owned_target& owned, op_context& ctx) {
  if (const auto it = device_.kept.find(owned.target); it != device_.kept.end())
    return it->second;
  device_.log.push_back("remove " + owned.target);
  device_.things.erase(owned.target);
  std::erase_if(device_.strays, [&](const auto& each) { return each.target == owned.target; });
  return ctx.owned.release(owned.owner, owned.target);
}

outcome<logs_result> fake_driver::logs(const desired<resource_spec>& want, const log_query& query,
                                       op_context&) {
  const auto it = device_.logs.find(target_of(want.spec));
  if (it == device_.logs.end())
    return {ec::not_found, want.id.str() + " has no log"};
  const auto& all = it->second;
  const auto from = query.cursor.empty()
                      ? all.size() - std::min<std::size_t>(query.tail, all.size())
                      : std::stoul(query.cursor);
  logs_result result;
  for (auto i = from; i < all.size(); ++i)
    result.lines.push_back({{}, all[i]});
  result.cursor = std::to_string(all.size());
  return result;
}

bool fake_driver::fetches(const resource& r) const {
  return device_.remote.count(target_of(r.spec)) != 0;
}

outcome<void> fake_driver::fetch(const desired<resource_spec>& want, op_context& ctx) {
  const auto target = target_of(want.spec);
  if (device_.slow.count(target) != 0 && !ctx.cancel.stop_requested())
    throw hangs{};
  device_.log.push_back("fetch " + target);
  return {};
}

outcome<std::vector<owned_target>> fake_driver::strays(op_context& ctx) {
  auto found = device_.strays;
  std::erase_if(found,
                [&](const auto& t) { return ctx.owned.find(t.owner, t.target).has_value(); });
  return found;
}

outcome<probe_result> fake_probes::check(const probe& p, const probe_subject& of,
                                         const std::stop_token&,
                                         std::chrono::steady_clock::time_point) {
  static constexpr std::array names{"exec", "tcp", "http", "unit"};
  made.push_back(std::string{names.at(p.check.index())} + " " + of.kind + " " + of.target);
  const auto it = answers.find(of.target);
  return it == answers.end() ? outcome<probe_result>{probe_result{true, {}}} : it->second;
}

std::optional<failure> fake_probes::lack(const probe& p) const {
  if (!systemd && std::holds_alternative<unit_probe>(p.check))
    return failure{ec::capability_missing, "no systemd"};
  return {};
}

outcome<std::vector<runtime_fact>> fake_monitor::relist(std::chrono::milliseconds) {
  std::vector<runtime_fact> facts;
  for (const auto& t : targets_) {
    const auto it = device->things.find(t);
    facts.push_back({t, it == device->things.end() ? std::string{} : it->second.revision});
  }
  for (const auto& t : device->strays)
    if (std::find(targets_.begin(), targets_.end(), t.target) == targets_.end())
      facts.push_back({t.target, "new"});
  return facts;
}

world::world(const std::function<void(agent_config&)>& adjust) {
  auto registry = std::make_shared<driver_registry>();
  registry->drivers["File"] = std::make_shared<fake_driver>(device, runtime_kind::files);
  registry->drivers["Directory"] = std::make_shared<fake_driver>(device, runtime_kind::files);
  registry->drivers["SystemdUnit"] = std::make_shared<fake_driver>(device, runtime_kind::systemd);
  registry->missing["Container"] = "podman is off in its configuration";
  files_monitor->device = &device;
  units_monitor->device = &device;

  config_.id = "pi-1";
  config_.boot_id = "0123456789abcdef";
  config_.link = &link;
  config_.drivers = std::move(registry);
  config_.runtimes[runtime_kind::files] = {"files", workers, files_monitor, {}};
  config_.runtimes[runtime_kind::systemd] = {"systemd", workers, units_monitor, {}};
  config_.probes = probes;
  config_.probe_workers = workers;
  config_.log_workers = workers;
  config_.version = "1.2.3";
  config_.seed = 7;
  config_.own_threads = false;
  config_.wall_clock = [this] {
    return timestamp{std::chrono::duration_cast<std::chrono::milliseconds>(now().time_since_epoch()
                                                                           + clock_offset_)};
  };
  if (adjust)
    adjust(config_);
  if (std::getenv("HARMONY_TEST_LOG") == nullptr)
    spdlog::set_level(spdlog::level::off);
  caf_config_.set("scheduler.policy", caf::atom("testing"));
  system_ = std::make_unique<caf::actor_system>(caf_config_);
  beat_watch_ = link.watch_beats([this](const std::string&) { beats.push_back(now()); }).value();
}

world::~world() {
  beat_watch_.reset();
  stop();
  workers->bury();
  settle();
  link.close();
  system_.reset();
}

void world::start() {
  config_.state = state.get();
  root_ = system_->spawn(root, config_);
  settle();
}

void world::stop() {
  if (!root_)
    return;
  device.hanging.clear();
  device.slow.clear();
  caf::anon_send(root_, stop_requested{});
  settle();
  workers->release();
  run_for(config_.grace);
  root_ = nullptr;
}

void world::kill() {
  link.set_connected(false);
  workers->die();
  stop();
  workers->live();
  link.set_connected(true);
}

void world::apply(const std::string& resources) {
  put_desired(manifest_json(++generation, resources));
}

void world::put_desired(const std::string& text) {
  link.force(bucket::desired_state, "pi-1", text); // faults on demand are for the agent's writes
  settle();
}

void world::settle() {
  do
    scheduler().run();
  while (workers->run_all());
}

void world::run_for(duration d) {
  const auto end = now() + d;
  settle();
  auto& clock = scheduler().clock();
  for (;;) {
    const auto& pending = clock.schedule();
    if (pending.empty() || pending.begin()->first > end)
      break;
    const auto wait = pending.begin()->first - now();
    clock.advance_time(std::max(wait, duration::zero()));
    settle();
  }
  clock.advance_time(end - now());
  settle();
}

void world::suspend(duration d) {
  settle();
  scheduler().clock().advance_time(d);
  settle();
}

std::string world::command(const std::string& verb, const std::string& payload) {
  const auto answer = std::make_shared<std::string>();
  link.send_command("pi-1", verb, payload,
                    [answer](std::string text) { *answer = std::move(text); });
  settle();
  return *answer;
}

instant world::now() {
  return scheduler().clock().now();
}

agent_status world::status() {
  auto entry = link.get(bucket::actual_state, "pi-1", {}).value();
  return entry ? read_status(entry->value).value() : agent_status{};
}

resource_status world::resource(const std::string& id) {
  resource_id key;
  parse_resource_id(id, key);
  const auto all = status().resources;
  const auto it = all.find(key);
  return it == all.end() ? resource_status{} : it->second;
}

std::string world::standing(const std::string& id) {
  resource_id key;
  parse_resource_id(id, key);
  const auto all = status().resources;
  const auto it = all.find(key);
  if (it == all.end())
    return "absent";
  const auto& r = it->second;
  return std::string{name_of(r.phase)} + (r.reason.empty() ? "" : " " + r.reason);
}

void world::drift(const std::string& target) {
  device.things[target].revision = "edited by hand";
  files_monitor->hint(target);
  settle();
}

caf::scheduler::test_coordinator& world::scheduler() {
  return dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
}

std::string manifest_json(generation_number generation, const std::string& resources) {
  return R"({"apiVersion":"harmony/v1","kind":"AgentManifest","metadata":{"agent":"pi-1",)"
         R"("generation":)"
         + std::to_string(generation) + R"(},"spec":{"resources":[)" + resources + "]}}";
}

std::string file_json(const std::string& name, const std::string& content,
                      const std::string& extra) {
  return R"({"kind":"File","name":")" + name + R"(","spec":{"path":"/srv/)" + name
         + R"(","content":")" + content + R"("})" + extra + "}";
}

std::string file_at(const std::string& name, const std::string& path) {
  return R"({"kind":"File","name":")" + name + R"(","spec":{"path":")" + path
         + R"(","content":"1"}})";
}

std::string folder_json(const std::string& name, const std::string& extra) {
  return R"({"kind":"Directory","name":")" + name + R"(")" + extra + R"(,"spec":{"path":"/srv/)"
         + name + R"("}})";
}

std::string unit_json(const std::string& name, const std::string& extra) {
  return R"({"kind":"SystemdUnit","name":")" + name + R"(","spec":{"unit":")" + name
         + R"(.service"})" + extra + "}";
}

} // namespace harmony::test

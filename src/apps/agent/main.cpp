// harmony-agent: reads its options, puts the parts together, and waits for signals.

#include <array>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <random>
#include <set>

#include <malloc.h>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include "actors/root.hpp"
#include "apps/agent/check.hpp"
#include "apps/agent/config_text.hpp"
#include "apps/agent/connection_note.hpp"
#include "apps/agent/device.hpp"
#include "apps/agent/device_facts.hpp"
#include "apps/agent/enroll.hpp"
#include "apps/agent/key_watch.hpp"
#include "apps/agent/logging.hpp"
#include "apps/agent/metrics.hpp"
#include "apps/agent/metrics_server.hpp"
#include "apps/agent/options.hpp"
#include "apps/agent/sealing_key.hpp"
#include "apps/agent/service.hpp"
#include "apps/agent/support_bundle.hpp"
#include "core/freshness.hpp"
#include "fault/fault.hpp"
#include "identity/login.hpp"
#include "state/flight_record.hpp"
#include "state/state_store.hpp"
#include "topology/wall_clock.hpp"
#include "transport/store.hpp"

namespace harmony {

namespace {

constexpr int exit_failure = 1;

/// Names this run of the agent.
std::string new_boot_id() {
  std::random_device random;
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%08x%08x", random(), random());
  return text.data();
}

/// The agent's memory on disk; in memory where the disk cannot be written, with a condition that
/// says so. Null, after saying why, when another agent holds it.
std::unique_ptr<state_store> open_state(const agent_options& options,
                                        std::vector<condition>& conditions) {
  auto opened = state_store::open(options.state_dir);
  if (opened) {
    for (const auto& notice : (*opened)->notices()) {
      spdlog::warn("{}", notice.message);
      conditions.push_back(
        {notice.condition, condition_state::true_, notice.reason, notice.message, wall_now()});
    }
    return std::move(*opened);
  }
  if (opened.error().code == ec::name_conflict) {
    spdlog::error("{}", opened.error().message);
    return nullptr;
  }
  spdlog::error("state cannot be kept on disk, it is lost at the next start: {}",
                opened.error().message);
  conditions.push_back(
    {"StateDegraded", condition_state::true_, std::string{reason_of(opened.error().code)},
     opened.error().message + "; the agent runs on from memory, which is lost with its end",
     wall_now()});
  return state_store::in_memory_from(options.state_dir);
}

/// The breaker of crash loops; null where the disk cannot be written.
std::unique_ptr<flight_record> open_flight_record(const state_store& state) {
  if (state.path().empty())
    return nullptr;
  auto opened = flight_record::open(state.path());
  if (!opened) {
    spdlog::warn("a crash loop would not be broken: {}", opened.error().message);
    return nullptr;
  }
  if (const auto accepted = state.accepted(); accepted && *accepted)
    (*opened)->in_force({(*accepted)->key_epoch, (*accepted)->generation, (*accepted)->hash});
  return std::move(*opened);
}

command_access access_of(command_mode m) {
  switch (m) {
  case command_mode::all: return command_access::all;
  case command_mode::read_only: return command_access::read_only;
  case command_mode::off: break;
  }
  return command_access::off;
}

/// What secrets for this device are sealed to; empty, after saying why, where it can have no key.
std::string sealing_key_of(linux_device& device) {
  const auto key = device.secrets().sealing_key_of_device();
  if (key)
    return write_sealing_public(*key);
  spdlog::warn("no secret can be sealed for this device: {}", key.error().message);
  return {};
}

agent_config compose(const agent_options& options, store& link, state_store& state,
                     flight_record* flight, linux_device& device,
                     std::vector<condition> conditions) {
  agent_config c;
  c.id = options.agent_id;
  c.boot_id = new_boot_id();
  c.link = &link;
  c.state = &state;
  c.flight = flight;
  c.drivers = device.drivers();
  c.facts = device_facts(c.id, *c.drivers, sealing_key_of(device));
  c.runtimes = device.runtimes(options.agent_id);
  c.probes = device.probes();
  c.probe_workers = std::make_shared<thread_executor>();
  c.log_workers = std::make_shared<thread_executor>();
  c.commands = access_of(options.commands);
  c.version = HARMONY_VERSION;
  c.audit = device.audit().get();
  c.trust = options.trust;
  conditions.push_back(unverified_condition(c.trust, wall_now()));
  c.conditions = std::move(conditions);
  c.heartbeat_interval = options.heartbeat_interval;
  c.poll_interval = options.poll_interval;
  c.relist_interval = options.relist_interval;
  c.grace = options.shutdown_grace;
  c.seed = std::random_device{}();
#ifdef HARMONY_FAULTS
  if (const auto limit = fault::operation_limit())
    c.limits = {*limit, *limit, *limit, *limit};
#endif
  c.wall_clock = wall_now;
  if (const auto& folder = state.path(); !folder.empty()) {
    c.keep_status = [folder](const std::string& text) { keep_local_status(folder, text); };
    c.keep_connection = [note = std::make_shared<connection_note>(folder, wall_now)](
                          bool connected, const std::string& detail) {
      note->changed(connected, detail);
    };
  }
  return c;
}

/// Serves metrics where that is asked for. Without them the agent works as well, so that what is in
/// their way is only said.
std::unique_ptr<metrics_server> serve_metrics(const agent_options& options, agent_config& c) {
  if (options.metrics == "off")
    return nullptr;
  const auto source = std::make_shared<metrics_source>();
  source->agent = c.id;
  source->version = c.version;
  source->beats = c.counters;
  source->writes = c.writes;
  for (const auto& [kind, runtime] : c.runtimes)
    source->lanes[runtime.name] = runtime.counters;
  const auto at = parse_metrics_address(options.metrics);
  auto server = at ? metrics_server::start(*at, [source] { return source->text(); })
                   : outcome<std::unique_ptr<metrics_server>>{at.error()};
  if (!server) {
    spdlog::error("{}", server.error().message);
    return nullptr;
  }
  c.keep_status = [source, also = c.keep_status](const std::string& text) {
    source->keep(text);
    if (also)
      also(text);
  };
  return std::move(*server);
}

/// The store that commands this device. Its log-in is read at each connection, and so is who it is.
outcome<std::unique_ptr<store>> open_link(const agent_options& options,
                                          const std::shared_ptr<key_watch>& keys) {
  auto how = store_options_of(options);
  how.as = [keys, files = login_files{how.credentials, how.nkey}] {
    auto as = load_login(files);
    if (as && as->key)
      keys->uses(device_key_name, as->key->public_key());
    return as;
  };
  return open_store(how);
}

/// Puts on record which keys are others than at the last start.
void note_keys(const agent_options& options, std::shared_ptr<state_store> state,
               linux_device& device, key_watch& keys) {
  auto now = keys_of(options.trust);
  std::set<std::string> unseen;
  const auto as = load_login({options.store_credentials, options.store_nkey});
  if (!as)
    unseen.insert(device_key_name);
  else if (as->key)
    now[device_key_name] = as->key->public_key();
  if (const auto key = device.secrets().sealing_key_of_device(); key)
    now[sealing_key_name] = write_sealing_public(*key);
  else
    unseen.insert(sealing_key_name);
  keys.begin(std::move(state), device.audit(), std::move(now), unseen);
}

/// With which program and which policy it goes on from here.
void note_start(const agent_options& options, audit_trail& audit) {
  audit_event e;
  e.event = "agent-started";
  e.subject = options.agent_id;
  e.via = "agent";
  e.result = HARMONY_VERSION;
  if (const auto text = read_config_text(options.config); text)
    e.revision = "sha256:" + sha256_hex(*text);
  audit.note(std::move(e));
}

/// Reads the configuration again; takes over what can change while it runs, and names what cannot.
void reload(int argc, const char* const* argv, agent_options& options, const root_actor& agent) {
  auto read = read_options(argc, argv);
  if (const auto* wrong = std::get_if<early_exit>(&read)) {
    const std::string_view text = wrong->text;
    spdlog::error("configuration stays as it was: {}",
                  text.substr(0, text.find_last_not_of('\n') + 1));
    return;
  }
  auto& fresh = std::get<agent_options>(read);
  set_log_level(fresh);
  if (fresh.heartbeat_interval != options.heartbeat_interval)
    caf::anon_send(agent, interval_changed{fresh.heartbeat_interval});
  options.log_level = fresh.log_level;
  options.heartbeat_interval = fresh.heartbeat_interval;
  if (fresh == options)
    spdlog::info("configuration was read again");
  else
    spdlog::warn("configuration was read again; only log-level and heartbeat-interval change "
                 "without a restart (systemctl restart harmony-agent)");
}

int run(int argc, const char* const* argv, agent_options options) {
  std::vector<condition> conditions;
  const auto keys = std::make_shared<key_watch>();
  auto link = open_link(options, keys);
  if (!link) {
    spdlog::error("store '{}' cannot be used: {}", shown_url(options.store), link.error().message);
    return exit_failure;
  }
  const std::shared_ptr<state_store> state = open_state(options, conditions);
  if (!state)
    return exit_failure;
  const auto flight = open_flight_record(*state);
  linux_device device{options, **link};

  caf::actor_system_config caf_config;
  caf_config.set("scheduler.max-threads", 2u);
  caf_config.set("scheduler.policy", caf::atom("sharing"));
  caf::actor_system system{caf_config};

  auto config = compose(options, **link, *state, flight.get(), device, std::move(conditions));
  spdlog::info("agent '{}' starts, boot id '{}', store '{}'", config.id, config.boot_id,
               shown_url(options.store));
  note_start(options, *device.audit());
  note_keys(options, state, device, *keys);
  const auto metrics = serve_metrics(options, config);
  auto agent = system.spawn(root, config);
  service_manager notify{agent};
  notify.ready();
  for (;;) {
    const auto signal = notify.wait();
    if (signal != SIGHUP)
      break;
    notify.reloading();
    reload(argc, argv, options, agent);
    notify.ready();
  }

  notify.stopping();
  if (flight)
    flight->land();
  spdlog::info("agent '{}' stops; what it manages keeps running", options.agent_id);
  caf::scoped_actor self{system};
  self->monitor(agent);
  caf::anon_send(agent, stop_requested{});
  const auto limit = options.shutdown_grace + std::chrono::seconds{2};
  bool orderly = false;
  self->receive([&](const caf::down_msg&) { orderly = true; }, caf::after(limit) >> [] {});
  (*link)->close();
  if (!orderly) {
    spdlog::error("shutdown did not end in time");
    end_logging();
    std::quick_exit(exit_failure); // a thread that hangs in a system call cannot be joined
  }
  return 0;
}

} // namespace

} // namespace harmony

int main(int argc, char* argv[]) {
  using namespace harmony;
  // One arena for all but the first thread's: a device's memory is small, and the agent allocates
  // little.
  mallopt(M_ARENA_MAX, 2);
#ifdef HARMONY_FAULTS
  if (argc == 2 && std::string_view{argv[1]} == "--list-fault-points") {
    for (const auto name : fault::points)
      std::cout << name << "\n";
    return 0;
  }
#endif
  auto read = read_options(argc, argv);
  if (auto* exit = std::get_if<early_exit>(&read)) {
    (exit->code == 0 ? std::cout : std::cerr) << exit->text;
    return exit->code;
  }
  if (const auto* status = std::get_if<status_request>(&read))
    return show_local_status(*status, std::cout, std::cerr);
  if (const auto* check = std::get_if<check_request>(&read))
    return run_check(*check, std::cout);
  if (const auto* key = std::get_if<key_request>(&read))
    return show_sealing_key(*key, std::cout, std::cerr);
  if (const auto* bundle = std::get_if<bundle_request>(&read))
    return write_support_bundle(*bundle, std::cout, std::cerr);
  if (const auto* audit = std::get_if<audit_request>(&read))
    return run_audit(*audit, std::cout, std::cerr);
  if (const auto* enroll = std::get_if<enroll_request>(&read))
    return run_enroll(*enroll, std::cin, std::cout, std::cerr);
  const auto& options = std::get<agent_options>(read);
  service_manager::block_signals(); // before the first thread
  start_logging(options);
  const auto code = run(argc, argv, options);
  end_logging();
  return code;
}

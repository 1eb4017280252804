// What `harmony-agent check` sees of the device.
#include <condition_variable>
#include <mutex>
#include <ostream>

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include "apps/agent/check.hpp"
#include "apps/agent/device.hpp"
#include "topology/check_limits.hpp"
#include "topology/dpkg_database.hpp"
#include "topology/wall_clock.hpp"

namespace harmony {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr milliseconds patience{5000}; ///< with each of store, systemd and podman

outcome<folder_sight> look_at_folder(const std::string& folder) {
  struct stat info {};
  struct statvfs disk {};
  // Only who may look inside can say that it is in order.
  if (::stat(folder.c_str(), &info) != 0 || ::statvfs(folder.c_str(), &disk) != 0
      || ::access(folder.c_str(), R_OK | X_OK) != 0)
    return {ec::io_error, "'" + folder + "' cannot be looked at: " + error_text(errno)};
  folder_sight f;
  f.own = info.st_uid == ::geteuid();
  f.mode = info.st_mode & 07777U;
  f.read_only = (disk.f_flag & ST_RDONLY) != 0;
  f.free_bytes = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  f.total_bytes = static_cast<std::uint64_t>(disk.f_blocks) * disk.f_frsize;
  f.free_files = disk.f_favail;
  f.total_files = disk.f_files;
  return f;
}

bool is_clock_synchronised() {
  timex now{};
  const int state = ::adjtimex(&now);
  return state >= 0 && state != TIME_ERROR;
}

/// Waits until the store is connected; gives why it is not.
outcome<void> await_connection(store& link) {
  struct shared {
    std::mutex mutex;
    std::condition_variable changed;
    bool connected = false;
    std::string detail;
  };
  const auto state = std::make_shared<shared>();
  link.watch_connection([state](bool connected, const std::string& detail) {
    const std::lock_guard lock{state->mutex};
    state->connected = connected;
    if (!detail.empty())
      state->detail = detail;
    state->changed.notify_all();
  });
  std::unique_lock lock{state->mutex};
  if (state->changed.wait_for(lock, patience, [&] { return state->connected; }))
    return {};
  return {ec::store_unavailable,
          "no connection within 5 s" + (state->detail.empty() ? "" : ": " + state->detail)};
}

outcome<std::optional<timestamp>> read_manifest_time(store& link, const std::string& agent) {
  const auto entry = link.get(bucket::desired_state, agent, patience);
  if (!entry)
    return entry.error();
  if (!*entry)
    return std::optional<timestamp>{};
  return std::optional{std::chrono::floor<milliseconds>((*entry)->written)};
}

/// Whether a write of the status would be taken, without making one: it has no such revision.
outcome<void> try_write(store& link, const std::string& agent) {
  constexpr std::uint64_t never = std::uint64_t{1} << 52;
  const auto refused = link.put(bucket::actual_state, agent, "{}", never, patience);
  if (refused || refused.error().code == ec::conflict)
    return {};
  return refused.error();
}

void look_at_store(const agent_options& options, device_sight& d) {
  auto link = open_store(store_options_of(options));
  if (!link) {
    d.store_read = link.error();
    return;
  }
  const auto connected = await_connection(**link);
  d.store_read = connected ? read_manifest_time(**link, options.agent_id)
                           : outcome<std::optional<timestamp>>{connected.error()};
  if (d.store_read)
    d.store_write = try_write(**link, options.agent_id);
  (*link)->close();
}

outcome<void> look_at_systemd(systemd_mode mode) {
  systemd_config config;
  config.manager =
    mode == systemd_mode::user ? systemd_config::scope::user : systemd_config::scope::system;
  systemd_manager manager{config};
  const auto answer =
    manager.properties("harmony-agent.service", false, {{}, steady_clock::now() + patience});
  return answer ? outcome<void>{} : outcome<void>{answer.error()};
}

outcome<bool> look_at_packages() {
  const auto records = dpkg_database{}.read();
  if (!records)
    return records.error();
  return (*records)->find("dpkg").interrupted;
}

device_sight look(const check_request& what) {
  const auto& options = what.options;
  device_sight d;
  d.config_fault = what.fault;
  d.policy = options.policy;
  d.agent = options.agent_id;
  d.store_url = shown_url(options.store);
  d.state_dir = options.state_dir;
  d.running = is_running(options.state_dir);
  d.root = ::geteuid() == 0;
  d.may_change_network = may_change_network();
  d.state = look_at_folder(options.state_dir);
  look_at_store(options, d);
  d.wall = wall_now();
  d.trust = look_at_trust(options, d.wall);
  d.clock_synchronised = is_clock_synchronised();
  if (options.systemd != systemd_mode::off)
    d.systemd = look_at_systemd(options.systemd);
  if (options.podman != "off")
    d.podman = podman_client{options.podman}.ping({{}, steady_clock::now() + patience});
  if (::access("/usr/bin/apt-get", X_OK) == 0)
    d.packages = look_at_packages();
  return d;
}

} // namespace

int run_check(const check_request& what, std::ostream& out) {
  const auto all = judge(look(what));
  out << (what.as_json ? write_findings(all) + "\n" : text_of(all));
  return worst(all) == verdict::fail ? 1 : 0;
}

} // namespace harmony

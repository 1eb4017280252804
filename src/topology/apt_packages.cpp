#include "topology/apt_packages.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <unistd.h>

#include "fault/fault.hpp"
#include "topology/apt_output.hpp"

namespace harmony {

namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

const std::string apt_get_program = "/usr/bin/apt-get";
const std::string apt_cache_program = "/usr/bin/apt-cache";
const std::string dpkg_program = "/usr/bin/dpkg";

constexpr std::chrono::milliseconds stop_grace{5000}; ///< for the step that dpkg is at
constexpr seconds lock_interval{1};                   ///< between two tries to get the lock
constexpr seconds answer_margin{2}; ///< before the deadline, to say who holds the lock

/// Maintainer scripts need the administrator's programs; the agent's environment may hold
/// credentials.
std::vector<std::string> environment() {
  return {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
          "HOME=/root",
          "LC_ALL=C",
          "DEBIAN_FRONTEND=noninteractive",
          "DEBCONF_NONINTERACTIVE_SEEN=true",
          "APT_LISTCHANGES_FRONTEND=none"};
}

/// Waits, in vain, until `limits` or `until`.
void pause(const op_limits& limits, steady_clock::time_point until) {
  const check_limits wait{limits.cancel, std::min(until, limits.deadline)};
  auto canceled = wait.canceled_fd();
  ::poll(&canceled, 1, wait.left());
}

failure busy(const std::string& doing, const std::string& holder) {
  return {ec::timed_out, doing + ": another program keeps the package manager busy: " + holder};
}

} // namespace

apt_packages::apt_packages(apt_config config)
  : config_(std::move(config)), database_(config_.dpkg_folder) {}

outcome<std::vector<package_info>> apt_packages::look(const std::vector<std::string>& packages) {
  HARMONY_FAULT("package.look");
  const auto status = database_.read();
  if (!status)
    return status.error();
  std::vector<package_info> found;
  found.reserve(packages.size());
  for (const auto& each : packages)
    found.push_back((*status)->find(each));
  return found;
}

std::vector<std::string> apt_packages::apt_get(const op_limits& limits) const {
  const auto left =
    std::chrono::duration_cast<seconds>(limits.deadline - steady_clock::now()) - answer_margin;
  const auto patience = std::clamp(left, seconds{0}, config_.lock_patience);
  return {apt_get_program, "-q", "-y", "-o",
          "DPkg::Lock::Timeout=" + std::to_string(patience.count()),
          // With a terminal of its own dpkg would leave the process group, and outlive a kill.
          "-o", "DPkg::Use-Pty=0", "-o", "DPkg::Options::=--force-confdef", "-o",
          "DPkg::Options::=--force-confold"};
}

outcome<void> apt_packages::install(const package_request& request, const op_limits& limits) {
  const auto& name = request.package;
  const auto asked = request.version.empty() ? name : name + "=" + request.version;
  const auto doing = "installing '" + asked + "'";
  // apt-get would take an unknown name for a pattern, and install what matches.
  const auto listing = run({apt_cache_program, "-q", "madison", name}, limits, doing);
  if (!listing)
    return listing.error();
  const auto versions = listed_versions(listing->output, name);
  if (versions.empty())
    return {ec::package_not_found, "no repository of this device has a package '" + name
                                     + "': check its name and /etc/apt/sources.list.d"};
  if (!request.version.empty()
      && std::find(versions.begin(), versions.end(), request.version) == versions.end()) {
    auto known = versions;
    known.erase(std::unique(known.begin(), known.end()), known.end());
    std::string list;
    for (const auto& each : known)
      list.append(list.empty() ? "'" : ", '").append(each).append("'");
    return {ec::package_not_found, "no repository of this device has version '" + request.version
                                     + "' of package '" + name + "': it has " + list};
  }
  auto arguments = apt_get(limits);
  arguments.insert(arguments.end(), {"--no-install-recommends", "--no-remove"});
  HARMONY_FAULT("package.install.before");
  if (request.repair) {
    // apt-get brings what an unpacked package depends on only when it is asked for none by name.
    arguments.emplace_back("--fix-broken");
    auto mend = arguments;
    mend.emplace_back("install");
    if (auto mended = change(mend, limits, doing); !mended && interrupts(mended.error()))
      return mended;
    arguments.emplace_back("--reinstall");
  }
  if (!request.version.empty())
    arguments.emplace_back("--allow-downgrades");
  arguments.insert(arguments.end(), {"install", "--", asked});
  auto done = change(arguments, limits, doing);
  HARMONY_FAULT("package.install.after");
  return done;
}

outcome<void> apt_packages::refresh(const op_limits& limits) {
  auto arguments = apt_get(limits);
  arguments.insert(arguments.end(), {"-o", "APT::Update::Error-Mode=any", "update"});
  HARMONY_FAULT("package.refresh.before");
  auto done = change(arguments, limits, "reading the lists of the repositories");
  HARMONY_FAULT("package.refresh.after");
  return done;
}

outcome<void> apt_packages::remove(const std::string& package, const op_limits& limits) {
  const auto doing = "removing '" + package + "'";
  const auto status = database_.read();
  if (!status)
    return status.error();
  // dpkg itself, and not apt-get: it refuses where another package needs this one, instead of
  // taking that along, and never removes an essential one.
  std::vector<std::string> arguments{dpkg_program};
  if ((*status)->find(package).condition == package_condition::broken)
    arguments.emplace_back("--force-remove-reinstreq");
  arguments.insert(arguments.end(), {"--remove", "--", (*status)->full_name(package)});
  HARMONY_FAULT("package.remove.before");
  auto done = change(arguments, limits, doing);
  HARMONY_FAULT("package.remove.after");
  return done;
}

outcome<void> apt_packages::finish(const op_limits& limits) {
  HARMONY_FAULT("package.finish.before");
  auto done = change({dpkg_program, "--force-confdef", "--force-confold", "--configure", "-a"},
                     limits, "setting up what was left half-way");
  HARMONY_FAULT("package.finish.after");
  return done;
}

outcome<process_result> apt_packages::run(const std::vector<std::string>& arguments,
                                          const op_limits& limits, const std::string& doing) const {
  process_command command;
  command.arguments = config_.launcher;
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  command.environment = environment();
  command.grace = stop_grace;
  command.keep_group = true; // a daemon that a maintainer script started lives on
  auto ended = run_process(command, check_limits{limits.cancel, limits.deadline});
  const auto& program = arguments.front();
  if (!ended)
    return {ended.error().code,
            doing + ": '" + program + "' cannot be started: " + ended.error().message};
  switch (ended->how) {
  case process_result::ending::exited:
  case process_result::ending::signaled: return ended;
  case process_result::ending::timed_out:
    return {ec::timed_out, doing + ": '" + program
                             + "' did not end in time and was stopped; what it left half-way is "
                               "completed by the next attempt"};
  case process_result::ending::canceled:
    return {ec::canceled, doing + " was interrupted; what is half-way is completed later"};
  case process_result::ending::lost: break;
  }
  return {ec::io_error, doing + ": '" + program + "' cannot be waited for"};
}

outcome<void> apt_packages::change(const std::vector<std::string>& arguments,
                                   const op_limits& limits, const std::string& doing) const {
  if (::geteuid() != 0)
    return {ec::permission_denied, doing + ": only root may; run the agent as root"};
  const auto patience = steady_clock::now() + config_.lock_patience;
  while (true) {
    const auto ended = run(arguments, limits, doing);
    if (!ended)
      return ended.error();
    if (ended->ok())
      return {};
    const auto holder = lock_holder(ended->output);
    if (holder.empty())
      return apt_failure(ended->output, doing);
    // apt-get waits for dpkg's lock by itself; nobody waits for those of the lists and of dpkg.
    const auto next = steady_clock::now() + lock_interval;
    if (next > std::min(patience, limits.deadline - answer_margin))
      return busy(doing, holder);
    pause(limits, next);
    if (auto go_on = limits.check(doing); !go_on)
      return go_on;
  }
}

} // namespace harmony

#include "soak/upsets.hpp"

#include <fstream>
#include <thread>

#include "support/shell.hpp"

namespace harmony::soak {

namespace {

namespace fs = std::filesystem;
using test::shell;

// Drifts touch only what is there: what they made themselves would be foreign to the agent.

void edit(const fs::path& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::ate);
  file << "# edited by hand\n";
}

// No link in a file's place: whoever then removes the file from the desire leaves somebody's link.
void drift_file(bed& b, const item& i) {
  std::error_code ignored;
  switch (b.chance.below(3)) {
  case 0: edit(i.at); break;
  case 1: fs::permissions(i.at, fs::perms::all, ignored); break;
  default: fs::remove(i.at, ignored);
  }
}

void drift_directory(bed& b, const item& i) {
  std::error_code ignored;
  if (b.chance.one_in(2))
    fs::permissions(i.at, fs::perms::all, ignored);
  else
    fs::remove_all(i.at, ignored);
}

void drift_unit(bed& b, const item& i) {
  const auto unit = world::unit_of(i);
  std::error_code ignored;
  switch (b.chance.below(4)) {
  case 0: shell("systemctl kill --signal=KILL " + unit); break;
  case 1: shell("systemctl stop " + unit); break;
  case 2: edit("/etc/systemd/system/" + unit); break;
  default: fs::remove("/etc/systemd/system/" + unit, ignored);
  }
}

void drift_container(bed& b, const item& i) {
  const auto container = world::container_of(i);
  switch (b.chance.below(3)) {
  case 0: shell("podman rm --force --time 0 " + container); break;
  case 1: shell("podman kill " + container); break;
  default: shell("podman stop --time 0 " + container);
  }
}

} // namespace

void pause(std::chrono::milliseconds time) {
  std::this_thread::sleep_for(time);
}

void change_desire(bed& b) {
  const auto edits = b.chance.between(1, 4); // in one generation
  for (std::size_t n = 0; n < edits; ++n)
    switch (b.chance.below(10)) {
    case 0:
    case 1:
    case 2:
    case 3: b.desire.add(b.chance); break;
    case 4:
    case 5:
    case 6: b.desire.change(b.chance); break;
    case 7:
    case 8: b.desire.remove(b.chance); break;
    default: b.desire.spoil(b.chance);
    }
  b.apply();
  b.found.count("change of the desire");
}

void drift(bed& b) {
  const auto& all = b.desire.items();
  if (all.empty())
    return;
  const auto& i = b.chance.pick(all);
  switch (i.what) {
  case kind::file: drift_file(b, i); break;
  case kind::directory: drift_directory(b, i); break;
  case kind::unit: drift_unit(b, i); break;
  case kind::container: drift_container(b, i); break;
  case kind::job: return;
  }
  b.found.count("drift " + i.id().substr(0, i.id().find('/')));
}

void command(bed& b) {
  resource_id id{"File", "none"};
  if (!b.desire.items().empty())
    parse_resource_id(b.chance.pick(b.desire.items()).id(), id);
  switch (b.chance.below(8)) {
  case 0: (void)b.ask<ping_result>(command_verb::ping, "{}"); break;
  case 1:
    (void)b.ask<restart_result>(command_verb::restart, write_request(resource_request{id}));
    break;
  case 2:
    (void)b.ask<hold_result>(command_verb::hold, write_request(hold_request{id, 3600, "soak"}));
    break;
  case 3: (void)b.ask<unhold_result>(command_verb::unhold, "{}"); break;
  case 4: (void)b.ask<plan_result>(command_verb::plan, b.manifest()); break;
  case 5:
    (void)b.ask<logs_result>(command_verb::logs, write_request(logs_request{id, "", 20, 0}));
    break;
  case 6:
    (void)b.ask<explain_result>(command_verb::explain, write_request(resource_request{id}));
    break;
  default: (void)b.ask<done_result>(command_verb::resync, "{}");
  }
}

} // namespace harmony::soak

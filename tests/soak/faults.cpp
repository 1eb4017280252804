#include "soak/upsets.hpp"
#include "support/eventually.hpp"
#include "support/shell.hpp"

namespace harmony::soak {

namespace {

using namespace std::chrono_literals;

/// Some time in which only the device itself goes on: it drifts.
void meanwhile(bed& b, std::chrono::milliseconds time) {
  const auto end = steady::now() + time;
  if (b.chance.one_in(2))
    drift(b);
  if (const auto now = steady::now(); now < end)
    pause(std::chrono::duration_cast<std::chrono::milliseconds>(end - now));
}

void await_link(bed& b) {
  const auto reached = [&] {
    return b.agent.link().get(bucket::desired_state, "pi-1", 1000ms).ok();
  };
  if (!test::eventually(reached, 30s))
    throw std::runtime_error("the driver does not reach its server again");
}

void lose_server(bed& b, bool orderly) {
  b.beats.server_goes();
  orderly ? b.server.stop() : b.server.kill();
  meanwhile(b, std::chrono::milliseconds{b.chance.between(100, 4000)});
  b.server.start();
  b.beats.server_is_back();
  await_link(b);
}

/// Mostly for a moment; sometimes for longer than it takes to be given up.
void freeze_server(bed& b) {
  b.beats.server_goes();
  b.server.freeze();
  const bool long_one = b.chance.one_in(5);
  meanwhile(b, std::chrono::milliseconds{long_one ? 15000 : b.chance.between(200, 4000)});
  b.server.thaw();
  b.beats.server_is_back();
  await_link(b);
}

/// A kill falls into whatever the agent does after a change.
void end_agent(bed& b, bool orderly) {
  change_desire(b);
  pause(std::chrono::milliseconds{b.chance.below(400)});
  b.end_agent(orderly);
  if (b.chance.one_in(2))
    drift(b);
  if (b.chance.one_in(2))
    change_desire(b);
  b.start_agent();
}

} // namespace

void fault(bed& b, bool lethal) {
  switch (b.chance.below(lethal ? 9 : 6)) {
  case 0:
    lose_server(b, false);
    b.found.count("fault: server killed");
    break;
  case 1:
    lose_server(b, true);
    b.found.count("fault: server restarted");
    break;
  case 2:
    freeze_server(b);
    b.found.count("fault: server frozen");
    break;
  case 3:
  case 4:
    test::shell("systemctl restart podman.service");
    b.podman_restarted = steady::now();
    b.found.count("fault: podman restarted");
    break;
  case 5:
    test::shell(b.chance.one_in(2) ? "systemctl daemon-reload" : "systemctl daemon-reexec");
    b.found.count("fault: systemd reloaded");
    break;
  case 6:
  case 7:
    end_agent(b, false);
    b.found.count("fault: agent killed");
    break;
  default: end_agent(b, true); b.found.count("fault: agent restarted");
  }
}

} // namespace harmony::soak

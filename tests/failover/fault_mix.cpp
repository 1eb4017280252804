#include "failover/fault_mix.hpp"

#include <algorithm>
#include <csignal>
#include <iomanip>
#include <sstream>
#include <thread>

#include "failover/mailbox.hpp"
#include "failover/scenario_parts.hpp"

namespace harmony::test {

using namespace std::chrono_literals;
using failover::boottime_now;

namespace {

constexpr std::size_t most_at_once = 2;

} // namespace

fault_mix::fault_mix(cluster_bed& bed, std::uint64_t seed)
  : bed_(bed), dice_(seed), began_(boottime_now()) {}

int fault_mix::draw(int below) {
  return static_cast<int>(dice_() % static_cast<std::uint64_t>(below));
}

void fault_mix::run(std::chrono::seconds duration) {
  began_ = boottime_now();
  while (boottime_now() - began_ < duration) {
    if (repairs_.size() < most_at_once)
      begin_one();
    std::this_thread::sleep_for(std::chrono::milliseconds{500 + draw(3000)});
    mend_due(false);
  }
  mend_due(true);
}

void fault_mix::begin_one() {
  constexpr int kinds = 9;
  // The primary, where there is one, twice as often as another.
  auto* primary = bed_.primary();
  const auto any = static_cast<std::size_t>(draw(static_cast<int>(bed_.size())));
  const bool at_primary = draw(2) == 0;
  const int kind = draw(kinds);
  auto& m = at_primary && primary != nullptr ? *primary : bed_[any];
  const bool hurt = std::any_of(repairs_.begin(), repairs_.end(),
                                [&](const repair& r) { return r.of == &m || r.of == nullptr; });
  if (!hurt && !strike(m, kind))
    store_away();
}

/// False for a kind that is none of a member.
bool fault_mix::strike(bed_member& m, int kind) {
  switch (kind) {
  case 0:
    note("power of " + m.name());
    m.cut_power();
    later(&m, [&m] { m.restore_power(); });
    return true;
  case 1:
    note("agent of " + m.name() + " killed");
    m.kill_agent();
    later(&m, [&m] { m.start_agent(); });
    return true;
  case 2:
    note("agent of " + m.name() + " frozen");
    m.freeze_agent();
    later(&m, [&m] { m.thaw_agent(); });
    return true;
  case 3:
    note("agent and PostgreSQL of " + m.name() + " frozen");
    m.freeze_agent();
    m.freeze_postgres();
    later(&m, [&m] {
      m.thaw_postgres();
      m.thaw_agent();
    });
    return true;
  case 4:
    note("PostgreSQL of " + m.name() + " killed");
    m.signal_servers(SIGKILL);
    return true;
  case 5:
    note(m.name() + " cut from the store");
    m.to_store().hang_handshakes(true);
    m.to_store().forget();
    later(&m, [&m] {
      m.to_store().hang_handshakes(false);
      m.to_store().cut();
    });
    return true;
  case 6:
    note("nobody reaches PostgreSQL of " + m.name());
    close_door(m, true);
    later(&m, [&m] { open_door(m); });
    return true;
  case 7:
    note("switchover");
    (void)bed_.ctl({"failover", "switchover", "main"});
    return true;
  default: return false;
  }
}

void fault_mix::store_away() {
  note("the store");
  bed_.server().kill();
  later(nullptr, [this] { bed_.server().start(); });
}

void fault_mix::later(const bed_member* of, std::function<void()> mend) {
  repairs_.push_back(
    {boottime_now() + std::chrono::milliseconds{200 + draw(9800)}, of, std::move(mend)});
}

void fault_mix::mend_due(bool all) {
  const auto now = boottime_now();
  const auto due = std::stable_partition(repairs_.begin(), repairs_.end(),
                                         [&](const repair& r) { return !all && r.due > now; });
  for (auto at = due; at != repairs_.end(); ++at)
    at->mend();
  repairs_.erase(due, repairs_.end());
}

void fault_mix::note(const std::string& what) {
  std::ostringstream line;
  line << std::fixed << std::setprecision(1) << std::setw(7)
       << std::chrono::duration<double>(boottime_now() - began_).count() << " s  " << what;
  record_.push_back(line.str());
}

std::string fault_mix::record() const {
  std::string text;
  for (const auto& each : record_)
    text += each + "\n";
  return text;
}

} // namespace harmony::test

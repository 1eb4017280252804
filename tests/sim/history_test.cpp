// Random histories of desires, drifts, faults and restarts. Whatever happens, the status never says
// Converged unless the last look at every resource found it as desired and what left is gone; and
// once the faults end, the device becomes what its newest good manifest says.
#include <random>
#include <set>

#include "sim/world.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;

constexpr int names = 5;

std::string name_at(std::size_t i) {
  return {static_cast<char>('a' + i)};
}

/// One device and the dice that decide its life.
class history {
public:
  explicit history(unsigned seed) : dice_(seed) {
    judge_ =
      world_.link.watch(bucket::actual_state, "pi-1", [this](const std::string&) { judge(); })
        .value();
    world_.start();
  }

  void go_on() {
    switch (pick(19)) {
    case 0:
    case 1:
    case 2: apply(); break;
    case 3: rubbish(); break;
    case 4:
    case 5: drift(true); break;
    case 6: drift(false); break;
    case 7: world_.device.broken[path()] = {ec::disk_full, "full"}; break;
    case 8: world_.device.broken.erase(path()); break;
    case 9: world_.device.hanging.insert(path()); break;
    case 10: release(); break;
    case 11: connect(pick(2) == 0); break;
    case 12: restart(); break;
    case 13: world_.device.unseen[path()] = blindness(); break;
    case 14: world_.device.unseen.clear(); break;
    case 15: world_.device.kept[path()] = {ec::io_error, "busy"}; break;
    case 16: world_.device.kept.clear(); break;
    case 17: world_.link.lose_reply(); break;
    default: break;
    }
    world_.settle();
    world_.run_for(std::chrono::milliseconds{pick(30'000)});
  }

  void end_faults() {
    world_.device.broken.clear();
    world_.device.unseen.clear();
    world_.device.kept.clear();
    release();
    connect(true);
    apply();
    world_.run_for(2h);
  }

  /// What is wrong at the end; empty: nothing.
  std::string verdict() {
    if (!lie_.empty())
      return lie_;
    const auto status = world_.status();
    if (status.phase != agent_phase::converged || status.observed_generation != world_.generation)
      return "not converged at the end: " + std::string{name_of(status.phase)};
    const auto reading = read_manifest(newest_);
    std::size_t right = 0;
    for (const auto& r : reading.value->resources) {
      const auto it = world_.device.things.find(std::get<file_spec>(r.spec).path);
      if (it != world_.device.things.end() && it->second.revision == r.revision)
        ++right;
    }
    if (right != reading.value->resources.size())
      return "a resource is not as declared";
    return world_.state->all().size() == right ? "" : "something that left is still owned";
  }

  std::size_t converged() const { return converged_; }

private:
  unsigned pick(unsigned below) { return static_cast<unsigned>(dice_()) % below; }
  std::string path() { return "/srv/" + name_at(pick(names)); }

  /// A look that fails: of a kind that may pass by itself, or of one that will not.
  failure blindness() {
    return pick(2) == 0 ? failure{ec::runtime_unavailable, "no answer"}
                        : failure{ec::permission_denied, "denied"};
  }

  /// The agent stops or dies, the world goes on without it for a while, the agent starts.
  void restart() {
    if (pick(2) == 0) {
      world_.stop();
    } else {
      world_.kill();
      connect(connected_);
    }
    for (auto meanwhile = pick(3); meanwhile > 0; --meanwhile)
      if (pick(2) == 0)
        drift(false);
      else
        apply();
    world_.run_for(std::chrono::milliseconds{pick(30'000)});
    world_.start();
  }

  void rubbish() {
    if (connected_ && world_.generation > 1)
      world_.put_desired(pick(2) == 0 ? "{" : manifest_json(1, ""));
  }

  void release() {
    world_.device.hanging.clear();
    world_.workers->release();
  }

  void connect(bool connected) {
    connected_ = connected;
    world_.link.set_connected(connected);
  }

  void apply() {
    if (!connected_)
      return;
    std::string all;
    for (unsigned i = 0; i < names; ++i) {
      if (pick(3) == 0)
        continue;
      std::string extra;
      if (i > 0 && pick(2) == 0 && all.find("\"" + name_at(i - 1) + "\"") != std::string::npos)
        extra = (pick(2) == 0 ? R"(,"dependsOn":["File/)" : R"(,"restartOn":["File/)")
                + name_at(i - 1) + "\"]";
      all += (all.empty() ? "" : ",") + file_json(name_at(i), std::to_string(pick(3)), extra);
    }
    newest_ = manifest_json(world_.generation + 1, all);
    documents_[world_.generation + 1] = newest_;
    world_.apply(all);
  }

  void drift(bool noticed) {
    const auto where = path();
    const auto it = world_.device.things.find(where);
    if (it == world_.device.things.end())
      return;
    if (pick(2) == 0)
      world_.device.things.erase(it);
    else
      it->second.revision = "edited by hand";
    if (noticed)
      world_.files_monitor->hint(where);
  }

  /// Called for each status that is written, and at times without one.
  void judge() {
    const auto entry = world_.link.get(bucket::actual_state, "pi-1", {});
    if (!entry || !*entry || (*entry)->revision == judged_)
      return;
    judged_ = (*entry)->revision;
    const auto status = world_.status();
    if (status.phase != agent_phase::converged || !lie_.empty())
      return;
    ++converged_;
    const auto document = documents_.find(status.observed_generation);
    if (document == documents_.end()) {
      lie_ = "Converged at a generation that never was";
      return;
    }
    const auto where = " at generation " + std::to_string(status.observed_generation);
    const auto reading = read_manifest(document->second);
    std::set<std::string> declared;
    for (const auto& r : reading.value->resources) {
      const auto& path = std::get<file_spec>(r.spec).path;
      declared.insert(path);
      if (world_.device.seen[path] != r.revision)
        lie_ = "Converged" + where + ", but " + r.id.str() + " was last seen otherwise";
    }
    for (const auto& owned : world_.state->all())
      if (declared.count(owned.target) == 0)
        lie_ = "Converged" + where + ", but " + owned.target + " left and is still there";
  }

  std::mt19937 dice_;
  world world_;
  std::unique_ptr<subscription> judge_;
  std::map<generation_number, std::string> documents_;
  std::string newest_;
  std::string lie_;
  std::size_t converged_ = 0;
  bool connected_ = true;
  std::uint64_t judged_ = 0;
};

} // namespace

TEST_CASE("histories: random desires, drifts, faults and restarts -> Converged is never a lie") {
  std::size_t converged = 0;
  for (unsigned seed = 1; seed <= 300; ++seed) {
    history h{seed};
    for (int step = 0; step < 25; ++step)
      h.go_on();
    h.end_faults();
    CAPTURE(seed);
    REQUIRE(h.verdict() == "");
    converged += h.converged();
  }
  CHECK(converged > 1000); // it was said often enough to be a test
}

} // namespace harmony::test

#include "apps/ctl/wait.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "support/catch.hpp"
#include "unit/ctl/fixture.hpp"

namespace harmony::ctl {

namespace {

using std::chrono::steady_clock;
using test::memory_store;
using test::store_call;

agent_record record_of(std::optional<generation_number> desired,
                       std::optional<agent_status> status) {
  agent_record r;
  r.agent = "pi";
  if (desired) {
    r.desired.emplace();
    r.desired->value.metadata.generation = *desired;
  }
  r.status = std::move(status);
  return r;
}

void desire(memory_store& s, generation_number generation) {
  manifest m;
  m.metadata.agent = "pi";
  m.metadata.generation = generation;
  s.force(bucket::desired_state, "pi", write_manifest(m));
}

wait_request request_for(const wait_condition& condition, milliseconds at_most = soon) {
  return {"pi", condition, steady_clock::now() + at_most, {}, {}};
}

/// Runs `change` on a thread of its own once the waiter has read the store `reads` times.
class after_reads {
public:
  after_reads(memory_store& s, int reads, std::function<void()> change) : store_(s) {
    s.before(store_call::get, [this, reads](bucket b, std::string_view) {
      if (b == bucket::actual_state && ++seen_ == reads) {
        const std::lock_guard lock{mutex_};
        due_.notify_all();
      }
    });
    thread_ = std::thread{[this, reads, change = std::move(change)] {
      std::unique_lock lock{mutex_};
      due_.wait(lock, [&] { return seen_ >= reads; });
      lock.unlock();
      change();
    }};
  }
  after_reads(const after_reads&) = delete;
  after_reads& operator=(const after_reads&) = delete;
  ~after_reads() {
    thread_.join();
    store_.before(store_call::get, {});
  }

private:
  memory_store& store_;
  std::mutex mutex_;
  std::condition_variable due_;
  std::atomic<int> seen_ = 0;
  std::thread thread_;
};

TEST_CASE("judge: converged -> only at the newest generation") {
  const wait_condition converged;
  const auto at = [&](std::optional<generation_number> desired, agent_phase phase,
                      generation_number observed) {
    return judge(converged, record_of(desired, status_of("pi", phase, observed)));
  };
  CHECK(at(7, agent_phase::converged, 7).met);
  CHECK(at(7, agent_phase::converged, 8).met); // a write that the reader has not seen yet
  CHECK_FALSE(at(7, agent_phase::converged, 6).met);
  CHECK_FALSE(at(7, agent_phase::degraded, 7).met);
  CHECK_FALSE(at({}, agent_phase::converged, 7).met);
  CHECK_FALSE(judge(converged, record_of(7, {})).met);
  CHECK(at(7, agent_phase::converged, 6).blockers
        == std::vector<std::string>{"it has observed generation 6, not 7 yet"});
  CHECK(judge(converged, record_of(7, {})).blockers
        == std::vector<std::string>{"it has not reported a status yet; is the agent running?"});
  CHECK(at({}, agent_phase::converged, 7).blockers
        == std::vector<std::string>{"there is no manifest for it"});
}

TEST_CASE("judge: what is in the way -> each resource with its reason, and a refused manifest") {
  auto s = status_of("pi", agent_phase::degraded, 7);
  s.resources[{"File", "a"}] = resource_at(resource_phase::ready);
  s.resources[{"Container", "c"}] =
    resource_at(resource_phase::failed, "ImageNotFound", "no such image");
  s.resources[{"SystemdUnit", "u"}] = resource_at(resource_phase::probing);
  s.conditions.push_back(
    {"ManifestAccepted", condition_state::false_, "GenerationRegressed", "it went back", {}});
  const auto verdict = judge({}, record_of(7, s));
  CHECK(verdict.blockers
        == std::vector<std::string>{
          "it did not accept the manifest (GenerationRegressed): it went back",
          "Container/c is Failed (ImageNotFound): no such image", "SystemdUnit/u is Probing"});
  CHECK(verdict.progress == "Degraded at generation 7, 1 of 3 resources ready");
}

TEST_CASE("judge: generation and phase -> as the agent says, whatever is desired") {
  wait_condition generation{wait_condition::what::generation, 5, {}};
  const auto s = status_of("pi", agent_phase::rejected, 5);
  CHECK(judge(generation, record_of(9, s)).met);
  generation.generation = 6;
  CHECK_FALSE(judge(generation, record_of(9, s)).met);
  const wait_condition phase{wait_condition::what::phase, 0, agent_phase::rejected};
  CHECK(judge(phase, record_of({}, s)).met);
  CHECK_FALSE(judge(phase, record_of({}, status_of("pi", agent_phase::degraded, 5))).met);
}

TEST_CASE("wait_for: met already -> at once, with one reading") {
  memory_store s;
  desire(s, 3);
  report(s, status_of("pi", agent_phase::converged, 3));
  const auto done = wait_for(s, request_for({}));
  REQUIRE(done.ok());
  CHECK(done->status->observed_generation == 3);
  CHECK(s.calls(store_call::get) == 2);
  CHECK(s.watchers() == 0);
}

TEST_CASE("wait_for: met later -> woken by the store, no polling") {
  memory_store s;
  desire(s, 3);
  report(s, status_of("pi", agent_phase::converging, 3));
  std::vector<std::string> seen;
  std::thread agent;
  auto request = request_for({}, milliseconds{60'000});
  request.on_progress = [&](const wait_verdict& v) {
    seen.push_back(v.progress);
    if (seen.size() == 1) // surely after the first reading
      agent = std::thread{[&] { report(s, status_of("pi", agent_phase::converged, 3)); }};
  };
  const auto done = wait_for(s, request);
  agent.join();
  REQUIRE(done.ok());
  CHECK(seen.size() == 1);
  CHECK(s.calls(store_call::get) <= 6); // at most one reading more than there were changes
}

TEST_CASE("wait_for: the goal moves -> the newest generation counts") {
  memory_store s;
  desire(s, 3);
  report(s, status_of("pi", agent_phase::converging, 3));
  const after_reads change{s, 1, [&] {
                             desire(s, 4);
                             report(s, status_of("pi", agent_phase::converged, 3));
                             report(s, status_of("pi", agent_phase::converged, 4));
                           }};
  const auto done = wait_for(s, request_for({}));
  REQUIRE(done.ok());
  CHECK(done->status->observed_generation == 4);
}

TEST_CASE(
  "wait_for: never met -> timed out, with what is in the way and the age of the heartbeat") {
  memory_store s{true, [] { return std::chrono::system_clock::now() - std::chrono::minutes{5}; }};
  desire(s, 3);
  auto status = status_of("pi", agent_phase::degraded, 3);
  status.resources[{"File", "a"}] = resource_at(resource_phase::failed, "DiskFull", "no space");
  report(s, status);
  beat(s, status);
  const auto done = wait_for(s, request_for({}, milliseconds{30}));
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == ec::timed_out);
  CHECK(done.error().message
        == "'pi' is not converged in time\n  File/a is Failed (DiskFull): no space\n"
           "  its last heartbeat came 5m ago");
  CHECK(s.watchers() == 0);
}

TEST_CASE("wait_for: hints without end -> still ends in time") {
  memory_store s;
  desire(s, 3);
  s.before(store_call::get, [&](bucket b, std::string_view key) { s.hint(b, std::string{key}); });
  const auto done = wait_for(s, request_for({}, milliseconds{30}));
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == ec::timed_out);
}

TEST_CASE("wait_for: an agent that nobody knows -> not found at once") {
  memory_store s;
  const auto done = wait_for(s, request_for({}));
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == ec::not_found);
}

TEST_CASE("wait_for: the connection goes and comes back -> waits on") {
  memory_store s;
  desire(s, 3);
  report(s, status_of("pi", agent_phase::converging, 3));
  const after_reads change{s, 1, [&] {
                             s.set_connected(false);
                             s.force(bucket::actual_state, "pi",
                                     write_status(status_of("pi", agent_phase::converged, 3)));
                             s.set_connected(true);
                           }};
  CHECK(wait_for(s, request_for({})).ok());
}

TEST_CASE("wait_for: no right to read -> fails at once") {
  memory_store s;
  s.fail_next(store_call::get, {ec::store_denied, "no right"});
  const auto done = wait_for(s, request_for({}));
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == ec::store_denied);
}

TEST_CASE("wait_for: interrupted -> canceled, not waited out") {
  memory_store s;
  desire(s, 3);
  std::stop_source stop;
  auto request = request_for({}, milliseconds{60'000});
  request.stop = stop.get_token();
  const after_reads change{s, 1, [&] { stop.request_stop(); }};
  const auto done = wait_for(s, request);
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == ec::canceled);
}

} // namespace

} // namespace harmony::ctl

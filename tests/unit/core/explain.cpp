#include "core/explain.hpp"

#include "support/catch.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;

const timestamp now{std::chrono::milliseconds{1'800'000'000'000}};

manifest chain() {
  const auto reading = read_manifest(R"({"apiVersion":"harmony/v1","kind":"AgentManifest",
    "metadata":{"agent":"pi-1","generation":8},"spec":{"resources":[
      {"kind":"File","name":"a","spec":{"path":"/a","content":""}},
      {"kind":"File","name":"b","dependsOn":["File/a"],"spec":{"path":"/b","content":""}},
      {"kind":"File","name":"c","dependsOn":["File/b"],"spec":{"path":"/c","content":""}}]}})");
  REQUIRE(reading.value);
  return *reading.value;
}

agent_status stuck() {
  agent_status s;
  s.agent = "pi-1";
  s.phase = agent_phase::degraded;
  s.observed_generation = 8;
  s.conditions = {
    {"Ready", condition_state::false_, "ResourcesNotReady", "3 not ready", now - 125s},
    {"FilesObserverStale", condition_state::false_, "Observing", "", now}};
  auto& a = s.resources[{"File", "a"}];
  a.phase = resource_phase::failed;
  a.reason = "DiskFull";
  a.message = "no space left on '/'";
  a.attempts = 4;
  a.restarts = 1;
  a.last_transition = now - 123s;
  a.next_retry = now + 6s;
  for (const auto* name : {"b", "c"}) {
    auto& r = s.resources[{"File", name}];
    r.phase = resource_phase::blocked;
    r.reason = "DependencyNotReady";
    r.message = "waits for another";
    r.last_transition = now - 125s;
  }
  return s;
}

} // namespace

TEST_CASE("explain: a chain that is stuck -> told to the end, the cause first") {
  const auto desired = chain();
  CHECK(text_of(explain_agent(stuck(), &desired, now))
        == "pi-1: Degraded at generation 8\n"
           "  because  Ready is false for 2m5s: ResourcesNotReady: 3 not ready\n"
           "  next     3 of 3 resources are not ready:\n"
           "\n"
           "File/a: Failed for 2m3s: DiskFull\n"
           "  because  no space left on '/'\n"
           "  because  it was changed 4 times since it was declared so, and repaired 1 time\n"
           "  next     it is tried again in 6s, at 2027-01-15T08:00:06.000Z\n"
           "\n"
           "File/b: Blocked for 2m5s: DependencyNotReady\n"
           "  because  it waits for File/a to be ready, which is Failed, DiskFull: no space left "
           "on '/'\n"
           "  next     it goes on as soon as that is so\n"
           "\n"
           "File/c: Blocked for 2m5s: DependencyNotReady\n"
           "  because  it waits for File/b to be ready, which is Blocked, DependencyNotReady: "
           "waits for "
           "another\n"
           "  because  it waits for File/a to be ready, which is Failed, DiskFull: no space left "
           "on '/'\n"
           "  next     it goes on as soon as that is so\n");
}

TEST_CASE("explain: without a manifest -> the message of the status") {
  const auto e = explain_resource(stuck(), {"File", "b"}, nullptr, now);
  CHECK(e.because == std::vector<std::string>{"waits for another"});
}

TEST_CASE("explain: all ready -> says that nothing is to be done") {
  auto s = stuck();
  s.phase = agent_phase::converged;
  s.conditions.clear();
  for (auto& [id, r] : s.resources) {
    r = {};
    r.phase = resource_phase::ready;
  }
  const auto all = explain_agent(s, nullptr, now);
  REQUIRE(all.size() == 1);
  CHECK(all[0].because.empty());
  CHECK(all[0].next == "nothing: 3 resources are ready, watched, and repaired when they differ");
}

TEST_CASE("explain: a newer manifest, other revisions -> told") {
  auto desired = chain();
  desired.metadata.generation = 9;
  auto s = stuck();
  s.resources[{"File", "a"}].revision = "sha256:old";
  s.resources[{"File", "a"}].applied_revision = "sha256:older";
  CHECK(explain_agent(s, &desired, now)[0].because.back()
        == "generation 9 is in the store and not in force");
  const auto e = explain_resource(s, {"File", "a"}, &desired, now);
  CHECK(e.because[1] == "a newer declaration of it was not taken up yet");
  CHECK(e.because[2] == "an older declaration of it is in place");
  CHECK(explain_resource(s, {"File", "z"}, &desired, now).phase == "Unknown");
  s.resources.erase({"File", "c"});
  CHECK(explain_resource(s, {"File", "c"}, &desired, now).phase == "Unreported");
}

TEST_CASE("explain: what comes next -> by phase") {
  auto s = stuck();
  const auto next = [&](resource_phase p) {
    s.resources[{"File", "a"}].phase = p;
    s.resources[{"File", "a"}].next_retry.reset();
    return explain_resource(s, {"File", "a"}, nullptr, now).next;
  };
  CHECK(next(resource_phase::ready).find("watched") != std::string::npos);
  CHECK(next(resource_phase::rejected).find("corrects") != std::string::npos);
  CHECK(next(resource_phase::probing).find("probes") != std::string::npos);
  CHECK(next(resource_phase::applying).find("deadline") != std::string::npos);
  CHECK(next(resource_phase::removed) == "nothing");
  s.resources[{"File", "a"}].next_retry = now - 1s;
  CHECK(explain_resource(s, {"File", "a"}, nullptr, now).next == "it is due to be tried again");
}

TEST_CASE("explain: safe mode -> the device says why, a resource that it waits for that") {
  agent_status s;
  s.agent = "pi-1";
  s.phase = agent_phase::degraded;
  s.observed_generation = 8;
  s.conditions = {{"SafeMode", condition_state::true_, "CrashLoop", "crashed 5 times", now - 5s}};
  auto& r = s.resources[{"File", "a"}];
  r.reason = "SafeMode";
  const auto all = explain_agent(s, nullptr, now);
  REQUIRE(all.size() == 2);
  CHECK(all[0].because
        == std::vector<std::string>{"SafeMode is true for 5s: CrashLoop: crashed 5 times"});
  CHECK(all[1].next == "nothing before the agent leaves safe mode; what runs is left as it is");
}

} // namespace harmony::test

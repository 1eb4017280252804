// The real program against the real stores.
#include <csignal>
#include <memory>

#include <nlohmann/json.hpp>

#include "model/status.hpp"
#include "support/catch.hpp"
#include "support/nats_server.hpp"
#include "support/process.hpp"
#include "transport/store.hpp"

namespace harmony::test {

namespace {

using nlohmann::json;
constexpr std::chrono::milliseconds soon{10'000};

/// One kind of store, with harmonyctl to operate it.
class bed {
public:
  virtual ~bed() = default;
  [[nodiscard]] virtual std::string url() const = 0;

  [[nodiscard]] std::unique_ptr<process> start(std::vector<std::string> arguments,
                                               const std::string& input = {}) const {
    arguments.insert(arguments.begin(), HARMONYCTL);
    return std::make_unique<process>(arguments, input,
                                     std::map<std::string, std::string>{{"HARMONY_STORE", url()}});
  }

  [[nodiscard]] run_result run(const std::vector<std::string>& arguments,
                               const std::string& input = {}) const {
    return start(arguments, input)->wait();
  }
};

class directory_bed final : public bed {
public:
  [[nodiscard]] std::string url() const override { return "dir:" + (folder_ / "store").string(); }

private:
  temp_dir folder_;
};

class nats_bed final : public bed {
public:
  [[nodiscard]] std::string url() const override { return server_.url(); }

private:
  nats_server server_;
};

std::unique_ptr<bed> make_bed(const std::string& kind) {
  if (kind == "nats")
    return std::make_unique<nats_bed>();
  return std::make_unique<directory_bed>();
}

std::string manifest_of(const std::string& agent, const std::string& content) {
  return "apiVersion: harmony/v1\nkind: AgentManifest\nmetadata: {agent: " + agent
         + "}\nspec:\n  resources:\n  - kind: File\n    name: motd\n    spec:\n"
           "      path: /etc/motd\n      content: "
         + content + "\n";
}

/// The agent's side: its own connection to the same store.
class device {
public:
  device(const bed& on, std::string agent) : agent_(std::move(agent)) {
    store_options how;
    how.url = on.url();
    how.name = "test device";
    auto opened = open_store(how);
    REQUIRE(opened.ok());
    store_ = std::move(*opened);
    status_.agent = agent_;
    status_.boot_id = "00112233aabbccdd";
  }

  void report(agent_phase phase, generation_number generation, resource_phase motd) {
    status_.phase = phase;
    status_.observed_generation = generation;
    ++status_.sequence;
    status_.resources[{"File", "motd"}].phase = motd;
    retried([&] {
      const auto old = store_->get(bucket::actual_state, agent_, soon);
      return old.ok()
             && store_
                  ->put(bucket::actual_state, agent_, write_status(status_),
                        *old ? (*old)->revision : 0, soon)
                  .ok();
    });
  }

  void beat() {
    retried([&] {
      return store_
        ->beat(agent_, write_heartbeat({status_.boot_id, status_.sequence, 1, status_.phase}))
        .ok();
    });
  }

private:
  /// The first calls may come before the connection does.
  template <class Call>
  static void retried(Call call) {
    const auto end = std::chrono::steady_clock::now() + soon;
    while (!call())
      REQUIRE(std::chrono::steady_clock::now() < end);
  }

  std::string agent_;
  agent_status status_;
  std::unique_ptr<store> store_;
};

TEST_CASE("harmonyctl: the life of a manifest on a real store -> as documented") {
  const auto on = make_bed(GENERATE(values<std::string>({"dir", "nats"})));
  CAPTURE(on->url());

  // Before init there is nothing to write to.
  const auto early = on->run({"apply", "-f", "-"}, manifest_of("pi-1", "one"));
  CHECK(early.code == 1);
  CHECK(early.err.find("harmonyctl init") != std::string::npos);
  REQUIRE(on->run({"init"}).code == 0);
  CHECK(on->run({"init"}).code == 0);
  CHECK(on->run({"get", "agents"}).out == "No agents in the store.\n");

  // Apply: new, unchanged, changed.
  const auto first = on->run({"apply", "-f", "-"}, manifest_of("pi-1", "one"));
  CAPTURE(first.err);
  REQUIRE(first.code == 0);
  CHECK(first.out.find("applied (generation 1)") != std::string::npos);
  CHECK(on->run({"apply", "-f", "-"}, manifest_of("pi-1", "one")).out
        == "manifest of 'pi-1' unchanged (generation 1)\n");
  const auto plan = on->run({"plan", "-f", "-", "-o", "json"}, manifest_of("pi-1", "two"));
  CHECK(json::parse(plan.out)[0]["resources"][0]["action"] == "update");
  CHECK(on->run({"apply", "-f", "-"}, manifest_of("pi-1", "two")).code == 0);
  const auto stored = on->run({"get", "manifest", "pi-1", "-o", "json"});
  CHECK(json::parse(stored.out)["metadata"]["generation"] == 2);

  // The device reports; a waiting harmonyctl is woken.
  device pi{*on, "pi-1"};
  pi.report(agent_phase::converging, 2, resource_phase::applying);
  CHECK(on->run({"wait", "pi-1", "--timeout=100ms"}).code == 5);
  const auto waiting = on->start({"wait", "pi-1", "--timeout=30s"});
  pi.report(agent_phase::converged, 2, resource_phase::ready);
  pi.beat();
  const auto waited = waiting->wait();
  CAPTURE(waited.err);
  CHECK(waited.code == 0);
  const auto agents = json::parse(on->run({"get", "agents", "-o", "json"}).out);
  CHECK(agents[0]["phase"] == "Converged");
  CHECK(agents[0]["heartbeatAgeSeconds"] < 30);
  CHECK(on->run({"describe", "resource", "pi-1", "File/motd"}).out.find("Ready")
        != std::string::npos);

  // Delete, and a new manifest above what the device saw.
  CHECK(on->run({"delete", "pi-1", "--yes"}).code == 0);
  CHECK(on->run({"get", "manifest", "pi-1"}).code == 3);
  CHECK(on->run({"delete", "pi-1"}).code == 3);
  CHECK(on->run({"apply", "-f", "-"}, manifest_of("pi-1", "two")).out.find("(generation 3)")
        != std::string::npos);
}

TEST_CASE("harmonyctl: keys, a file signed by two, the store -> as documented") {
  const auto on = make_bed(GENERATE(values<std::string>({"dir", "nats"})));
  CAPTURE(on->url());
  REQUIRE(on->run({"init"}).code == 0);
  const temp_dir folder;
  const auto file = [&](const std::string& name) { return (folder / name).string(); };
  for (const auto* name : {"alice", "bob"})
    REQUIRE(on->run({"key", "generate", name, "--folder", folder.str()}).code == 0);
  const auto first = on->run({"sign", "-", "--key", file("alice.key"), "--generation", "3"},
                             manifest_of("pi-1", "one"));
  CAPTURE(first.err);
  REQUIRE(first.code == 0);
  const auto both = on->run({"sign", "-", "--key", file("bob.key")}, first.out);
  REQUIRE(both.code == 0);
  const auto verify = [&](const std::string& envelope) {
    return on
      ->run(
        {"verify", "-", "--key", file("alice.pub"), "--key", file("bob.pub"), "--threshold", "2"},
        envelope)
      .code;
  };
  CHECK(verify(first.out) == 6);
  CHECK(verify(both.out) == 0);
  CHECK(on->run({"apply", "-f", "-"}, both.out).out.find("applied (generation 3)")
        != std::string::npos);
  const auto stored = on->run({"get", "manifest", "pi-1", "--envelope", "-o", "json"});
  CHECK(verify(stored.out) == 0);
  CHECK(
    json::parse(on->run({"get", "manifest", "pi-1", "-o", "json"}).out)["metadata"]["generation"]
    == 3);
  CHECK(on->run({"apply", "-f", "-"}, manifest_of("pi-1", "two")).code == 6);
  CHECK(on->run({"apply", "-f", "-", "--key", file("bob.key")}, manifest_of("pi-1", "two")).code
        == 0);
  const auto history = json::parse(on->run({"history", "pi-1", "-o", "json"}).out);
  REQUIRE(history.size() == 2);
  CHECK(history[0]["signedBy"].size() == 1);
  CHECK(history[1]["signedBy"].size() == 2);
}

TEST_CASE("harmonyctl: many applies at once -> every one counted, none lost") {
  const auto on = make_bed(GENERATE(values<std::string>({"dir", "nats"})));
  CAPTURE(on->url());
  REQUIRE(on->run({"init"}).code == 0);
  std::vector<std::unique_ptr<process>> running;
  constexpr int writers = 6;
  running.reserve(writers);
  for (int i = 0; i < writers; ++i)
    running.push_back(
      on->start({"apply", "-f", "-"}, manifest_of("pi-1", "v" + std::to_string(i))));
  for (const auto& r : running)
    CHECK(r->wait().code == 0);
  const auto stored = json::parse(on->run({"get", "manifest", "pi-1", "-o", "json"}).out);
  CHECK(stored["metadata"]["generation"] == writers);
}

TEST_CASE("harmonyctl: watch -> prints changes as they come, ends well on SIGINT") {
  const auto on = make_bed(GENERATE(values<std::string>({"dir", "nats"})));
  CAPTURE(on->url());
  REQUIRE(on->run({"init"}).code == 0);
  device pi{*on, "pi-1"};
  pi.beat();
  pi.report(agent_phase::converging, 1, resource_phase::applying);
  const auto watching = on->start({"watch", "-o", "json"});
  REQUIRE(watching->printed("\"to\":\"Applying\""));
  pi.report(agent_phase::converged, 1, resource_phase::ready);
  CHECK(watching->printed("\"from\":\"Applying\",\"to\":\"Ready\""));
  watching->signal(SIGINT);
  CHECK(watching->wait().code == 0);
}

TEST_CASE("harmonyctl: bad use -> the documented exit codes") {
  const directory_bed on;
  CHECK(on.run({}).code == 2);
  CHECK(on.run({"apply"}).code == 2);
  const auto invalid = on.run({"validate", "-f", "-"}, "spec: [\n");
  CHECK(invalid.code == 6);
  CHECK(invalid.err.find("<stdin>:") == 0);
  CHECK(on.run({"get", "agents", "--store", "bogus://x"}).code != 0);
  const auto unreachable =
    on.run({"get", "agents", "--store", "nats://127.0.0.1:1", "--timeout", "300ms"});
  CHECK(unreachable.code == 1);
  CHECK(unreachable.err.find("error: cannot reach the store 'nats://127.0.0.1:1'") == 0);
  CHECK(on.run({"version"}).code == 0);
}

} // namespace

} // namespace harmony::test

#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "apps/ctl/environment.hpp"
#include "model/manifest.hpp"
#include "model/status.hpp"
#include "support/memory_store.hpp"

namespace harmony::ctl {

/// A fixed point in time: 2026-01-31T12:00:00Z.
inline const std::chrono::system_clock::time_point noon{std::chrono::seconds{1769860800}};

inline constexpr std::chrono::milliseconds soon{5'000};

/// Text that tells somebody whenever it is flushed.
class told_buffer : public std::stringbuf {
public:
  std::function<void(const std::string& all)> on_flush;

protected:
  int sync() override {
    if (on_flush)
      on_flush(str());
    return 0;
  }
};

/// harmonyctl over a store in memory, its clock stopped at noon.
class terminal {
public:
  explicit terminal(bool prepared = true)
    : store_(std::make_shared<test::memory_store>(prepared, [this] { return now; })) {}

  /// Runs one command line and keeps what it printed.
  int run(const std::vector<std::string>& arguments, const std::string& input = {}) {
    std::istringstream in{input};
    told_buffer out_buffer;
    out_buffer.on_flush = on_output;
    std::ostream out_stream{&out_buffer};
    std::ostringstream err_stream;
    environment env{in, out_stream, err_stream};
    env.in_is_terminal = interactive;
    env.out_is_terminal = interactive;
    env.variable = [this](const char* name) {
      const auto found = variables.find(name);
      return found == variables.end() ? std::string{} : found->second;
    };
    env.open = [this](const store_options& how) -> outcome<std::shared_ptr<store>> {
      opened = how;
      return std::shared_ptr<store>{store_};
    };
    env.open_clusters = clusters;
    env.ask_server = [this](const store_options&, const std::string& subject,
                            const std::string& payload,
                            std::chrono::milliseconds) -> outcome<std::string> {
      if (server)
        return server(subject, payload);
      return failure{ec::store_unavailable, "a store in memory has no server"};
    };
    env.now = [this] { return now; };
    env.on_interrupt = [this] { return interrupt.get_token(); };
    const auto code = ctl::run(arguments, env);
    out = out_buffer.str();
    err = err_stream.str();
    return code;
  }

  /// The store as the agent sees it.
  test::memory_store& at() { return *store_; }

  std::chrono::system_clock::time_point now = noon;
  bool interactive = false;
  std::map<std::string, std::string> variables;
  std::stop_source interrupt;
  std::function<void(const std::string& all)> on_output; ///< while a command runs
  /// What a server itself answers; none: it cannot be reached.
  std::function<outcome<std::string>(const std::string& subject, const std::string& payload)>
    server;
  std::function<outcome<std::shared_ptr<cluster_store>>(const store_options&)> clusters;
  store_options opened; ///< what the last command opened
  std::string out, err;

private:
  std::shared_ptr<test::memory_store> store_;
};

/// A manifest of `agent` with File resources of these names, all at `content`.
inline std::string yaml_of(const std::string& agent, const std::vector<std::string>& files,
                           const std::string& content = "hi") {
  auto text = "apiVersion: harmony/v1\nkind: AgentManifest\nmetadata: {agent: " + agent
              + "}\nspec:\n  resources:\n";
  for (const auto& f : files)
    text += "  - {kind: File, name: " + f + ", spec: {path: /etc/" + f + ", content: \"" + content
            + "\"}}\n";
  return files.empty() ? text + "    []\n" : text;
}

inline resource_status resource_at(resource_phase phase, std::string reason = {},
                                   std::string message = {}) {
  resource_status r;
  r.phase = phase;
  r.reason = std::move(reason);
  r.message = std::move(message);
  return r;
}

inline agent_status status_of(const std::string& agent, agent_phase phase,
                              generation_number generation) {
  agent_status s;
  s.agent = agent;
  s.boot_id = "00112233aabbccdd";
  s.sequence = 1;
  s.phase = phase;
  s.observed_generation = generation;
  return s;
}

inline void report(test::memory_store& to, const agent_status& s) {
  to.force(bucket::actual_state, s.agent, write_status(s));
}

inline void beat(test::memory_store& to, const agent_status& s) {
  (void)to.beat(s.agent, write_heartbeat({s.boot_id, 5, s.observed_generation, s.phase}));
}

} // namespace harmony::ctl

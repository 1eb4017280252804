#pragma once

#include <string>
#include <string_view>

#include "model/commands.hpp"
#include "soak/beats.hpp"
#include "soak/dice.hpp"
#include "soak/report.hpp"
#include "soak/world.hpp"
#include "support/agent_process.hpp"
#include "support/nats_server.hpp"

namespace harmony::soak {

struct options {
  double minutes = 30;
  std::uint64_t seed = 0;
  std::string report = "/tmp/soak.json"; ///< the JSON report's file; the agent's log is beside it
};

/// What a run is made of: a server, an agent, what is desired of it, and who listens.
class bed {
public:
  explicit bed(const options& given);

  /// Writes the desire as the next generation. The server must be reachable.
  void apply();
  /// The manifest of the desire at `generation`.
  [[nodiscard]] std::string manifest() const;

  /// Asks the agent; counts what became of it. Without a result where it gave none.
  template <class Result>
  outcome<Result> ask(command_verb verb, const std::string& payload) {
    const auto answer = request(verb, payload);
    auto result = answer ? read_answer<Result>(*answer) : outcome<Result>{answer.error()};
    note(verb, result ? "" : reason_of(result.error().code));
    return result;
  }

  void start_agent();
  void end_agent(bool orderly);

  /// What the agent holds now, into its life's samples.
  void sample();
  /// A line a minute.
  void tell();

  dice chance;
  report found;
  test::nats_server server;
  test::agent_process agent;
  beat_watch beats;
  world desire;
  generation_number generation = 0;
  std::vector<life> lives;
  steady::time_point podman_restarted; ///< the last time

private:
  outcome<std::string> request(command_verb verb, const std::string& payload);
  void note(command_verb verb, std::string_view refusal);

  std::string log_; ///< file that keeps what the agent logged in all its lives
  steady::time_point agent_started_;
  double told_ = 0;
};

} // namespace harmony::soak

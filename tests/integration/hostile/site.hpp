#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "integration/transport/beds.hpp"
#include "support/agent_process.hpp"
#include "support/nats_server.hpp"
#include "support/tcp_proxy.hpp"
#include "support/temp_dir.hpp"

/// What the cases of a hostile network share.
namespace harmony::test {

using instant_of_test = std::chrono::steady_clock::time_point;
using condition_on_status = std::function<bool(const agent_status&)>;

/// "within 2 s" of the server's return, for status and desired change; docs/benchmarks.md.
inline constexpr milliseconds back_within{2000};
/// A dead connection is noticed.
inline constexpr milliseconds noticed_within{12'000};
inline constexpr milliseconds beat_period{1000};
inline constexpr milliseconds beat_slack{50};

/// An operator with a connection of its own to the server, made anew by each test step, so that it
/// adds nothing to what it measures.
class operator_link {
public:
  explicit operator_link(const std::string& url, const std::string& ca_file = {});

  /// Waits until the status holds, 60 s at most; how long that was after `from`. Fails the test
  /// when it never does, with what the status was.
  milliseconds until(instant_of_test from, const condition_on_status& holds);
  [[nodiscard]] agent_status status();
  /// Writes the manifest of `generation` with one file.
  void apply(generation_number generation, const std::string& file, const std::string& content);
  void put_desired(const std::string& text);

  /// Fails the test where two documents of the status' history have one number of one run, or go
  /// back.
  void check_history();

  store& link() { return *link_; }

private:
  std::unique_ptr<store> link_;
  hints seen_;
  std::unique_ptr<subscription> watch_;
};

/// When heartbeats came, by boot id.
class beat_log {
public:
  explicit beat_log(store& link);
  /// The longest time without one since the last call; the last beat counts up to now.
  milliseconds longest_gap();
  /// Waits for one more, 60 s at most; how long that was after `from`.
  milliseconds next(instant_of_test from);

private:
  mailbox<instant_of_test> came_;
  std::mutex mutex_;
  std::vector<instant_of_test> all_;
  std::unique_ptr<subscription> watch_;
};

/// An agent, called pi-1, on a device of its own.
struct device {
  /// `flags` come last and win. Heartbeats each second.
  device(const std::string& operator_url, const std::string& agent_url,
         std::vector<std::string> flags = {}, const std::string& ca_file = {});
  temp_dir folder;
  agent_process agent;
  [[nodiscard]] std::string file() const { return (folder / "a").string(); }
};

/// One line of the report that `scripts/hostile-network` prints: the case, what the agent did, and
/// after how long it was back.
void report(const std::string& what, const std::string& did, milliseconds back);
void report(const std::string& what, const std::string& did);

condition_on_status converged_at(generation_number generation);
/// Whether the condition `type` is True.
bool says(const agent_status& s, const std::string& type);
/// "nats://user:password@127.0.0.1:port"
std::string url_at(int port, const std::string& login = {}, const std::string& scheme = "nats");

} // namespace harmony::test

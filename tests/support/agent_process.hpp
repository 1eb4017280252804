#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/status.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "transport/store.hpp"

namespace harmony::test {

/// A real harmony-agent, called "pi-1", and the store between it and the test. Ended with this
/// object.
class agent_process {
public:
  /// `program`: path of the binary. `flags` come after the store, the state folder and a heartbeat
  /// interval of 100 ms. Empty `store_url`: a directory store of its own. The store is prepared
  /// here, with `ca_file` where it is a tls:// URL.
  agent_process(std::string program, std::vector<std::string> flags,
                const std::string& store_url = {}, const std::string& ca_file = {});
  /// The same over the store that `to` reaches, as whom it says; the agent's own log-in is in
  /// `flags`.
  agent_process(std::string program, std::vector<std::string> flags, store_options to);
  ~agent_process();
  agent_process(const agent_process&) = delete;
  agent_process& operator=(const agent_process&) = delete;

  /// How long each wait below may take; 30 s at first.
  void set_patience(std::chrono::seconds most) { patience_ = most; }

  /// `variables` are added to its environment.
  void start(const std::map<std::string, std::string>& variables = {});
  /// SIGTERM; gives its exit code.
  int stop();
  /// SIGHUP: it reads its configuration again.
  void reload();
  /// Waits until its log has `text`; false if it never came.
  bool logged(const std::string& text) { return process_->complained(text); }
  /// What `harmony-agent status` says on its standard error.
  [[nodiscard]] std::string ask_status() const;
  /// Its whole log so far; also after its end.
  [[nodiscard]] std::string log() const { return process_->complaints(); }
  /// Waits `at_most` for its end; true if it has ended.
  [[nodiscard]] bool ended(std::chrono::milliseconds at_most) const {
    return process_->ended(at_most);
  }
  /// What it ended with, once it has: as of run_result.
  int ending() { return process_->wait().code; }
  /// SIGKILL, and waits for its end.
  void kill();

  /// Writes the desired manifest as the next generation; `resources` is the JSON list, `beside`
  /// more fields of its spec, each with a comma after it.
  void apply(const std::string& resources, const std::string& beside = {});
  /// Writes any text as the desired state.
  void put_desired(const std::string& text);

  /// Waits until the status satisfies `holds`; gives the last one seen.
  agent_status await(const std::function<bool(const agent_status&)>& holds);
  /// Waits until the newest generation is converged; false if it never was.
  bool converged();
  [[nodiscard]] agent_status status();
  /// "Ready", "Failed DiskFull", "absent".
  [[nodiscard]] std::string standing(const std::string& id);
  /// Waits until `standing(id)` is `text`; gives the last standing.
  std::string await_standing(const std::string& id, const std::string& text);

  /// Waits until `count` more heartbeats came; false if they did not.
  bool await_beats(int count);

  store& link() { return *link_; }
  [[nodiscard]] const std::string& store_url() const { return store_url_; }
  [[nodiscard]] generation_number generation() const { return generation_; }
  [[nodiscard]] pid_t pid() const { return process_->pid(); }

private:
  temp_dir folder_;
  std::string store_url_;
  std::vector<std::string> command_;
  std::unique_ptr<store> link_;
  std::unique_ptr<process> process_;
  generation_number generation_ = 0;
  std::chrono::seconds patience_{30};
};

} // namespace harmony::test

#pragma once

#include <map>
#include <memory>
#include <nats/nats.h>
#include <string>
#include <vector>

#include "integration/transport/beds.hpp"
#include "support/nats_server.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

/// A server whose configuration harmonyctl wrote, and those who may talk to it.
namespace harmony::test {

enum class trust_mode { static_keys, operator_mode };

class fleet_bed {
public:
  /// Devices pi-1 and pi-2, one operator, and an empty store. `more` goes to `server-config`.
  explicit fleet_bed(trust_mode mode, std::vector<std::string> more = {});

  [[nodiscard]] nats_server& server() { return server_; }
  [[nodiscard]] bool has_jwts() const { return mode_ == trust_mode::operator_mode; }
  [[nodiscard]] std::string path(const std::string& name) const {
    return (folder_ / name).string();
  }
  [[nodiscard]] std::string keys() const { return path("keys"); }

  /// How the operator reaches the store, and how a device does.
  [[nodiscard]] store_options admin() const;
  [[nodiscard]] store_options device(const std::string& id) const;
  /// The device's log-in as flags of the agent, and its store.
  [[nodiscard]] std::vector<std::string> agent_flags(const std::string& id) const;

  /// harmonyctl as the operator; fails the test where the exit code is not 0.
  std::string ctl(const std::vector<std::string>& arguments) const;
  [[nodiscard]] run_result try_ctl(std::vector<std::string> arguments) const;
  /// The configuration as it was written.
  [[nodiscard]] std::string config() const { return read_file(path("server.conf")); }
  void write_config();
  /// Starts the server anew with `more` of `server-config`.
  void use(const std::vector<std::string>& more);

private:
  void make_device(const std::string& id) const;

  temp_dir folder_;
  trust_mode mode_;
  std::vector<std::string> more_;
  nats_server server_;
};

/// What `nats-server -t -c` says of a configuration.
run_result check_config(const std::string& file);

/// Opens a store and waits until it is connected.
std::unique_ptr<store> open_as(const store_options& who);

/// A device that keeps to no protocol: a plain connection with a device's log-in.
class bare_client {
public:
  explicit bare_client(const store_options& who);
  ~bare_client();
  bare_client(const bare_client&) = delete;
  bare_client& operator=(const bare_client&) = delete;

  /// Whether the server refused it, by name.
  bool publish_denied(const std::string& subject);
  bool subscribe_denied(const std::string& subject);
  void publish(const std::string& subject, const std::string& reply, const std::string& text);
  void publish_with(const std::string& subject, const std::string& text,
                    const std::map<std::string, std::string>& headers);

private:
  bool refused(const std::string& what);

  natsConnection* connection_ = nullptr;
  std::vector<natsSubscription*> subscriptions_;
  mailbox<std::string> errors_;
};

} // namespace harmony::test

#pragma once

// The inside of nats_lease_store; for lease_*.cpp beside it alone.

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "transport/callback_gate.hpp"
#include "transport/nats_clusters.hpp"
#include "transport/nats_lease_store.hpp"
#include "transport/worker_pool.hpp"

namespace harmony {

/// Every call is made on a worker. What changed is looked at by one worker at a time, the
/// connection's begin and the lease first; what could not be read is looked at again a little
/// later, as long as the connection is the same.
class nats_lease_store::core : public std::enable_shared_from_this<core> {
public:
  core(lease_store_options options, std::vector<nats::server> servers);

  void open(failover::event_sink sink);
  void close();
  void read(const failover::fx::read& what);
  void cas(const failover::fx::cas& what);
  void publish(const std::string& key, const std::string& value);
  void consume(const std::string& command);

  [[nodiscard]] const std::string& node() const { return options_.node; }

private:
  using session_ptr = nats::link::session_ptr;
  using deadline = nats::link::deadline;

  /// The lease's key.
  struct sight {
    std::uint64_t sequence = 0;
    std::optional<failover::lease_record> record;
  };

  /// Runs `work` on that connection, or fails where it is gone.
  template <class T>
  outcome<T> call(std::uint64_t connection, std::vector<std::string> subjects,
                  std::function<outcome<T>(const nats::session&, deadline)> work);
  outcome<std::optional<nats::stored_message>> read_key(std::uint64_t connection,
                                                        std::string_view key);
  outcome<sight> read_lease(std::uint64_t connection);
  void leave_silent_server(std::uint64_t connection, bool timed_out);

  void tell(const failover::event& what);
  void tell_connected(std::uint64_t connection, const std::string& server);
  void tell_disconnected();
  void log(const std::string& what);
  /// Says it once for each `number`.
  void complain(const std::string& about, std::uint64_t number, const std::string& why);

  // What looks at things; each gives false where it must be tried again.
  void mark(const std::string& what);
  void drain();
  bool next_due(std::string& what);
  bool look_at(const std::string& what);
  bool begin_connection();
  void missing_or_denied(std::uint64_t connection, const failure& why);
  bool scan(std::uint64_t connection);
  bool look_at_lease(std::uint64_t connection);
  bool look_at_beat(std::uint64_t connection, const std::string& key);
  bool look_at_command(std::uint64_t connection, const std::string& key);
  bool take_away(std::uint64_t connection, const std::string& command);
  std::uint64_t connection();

  const lease_store_options options_;
  const std::chrono::milliseconds patience_; ///< of one request
  const bool has_other_servers_;
  const std::shared_ptr<nats::link> link_;
  worker_pool workers_;
  failover::event_sink sink_; ///< only called through the gate
  callback_gate<std::function<void(const failover::event&)>> gate_;
  std::unique_ptr<subscription> hints_;

  std::mutex told_mutex_; // held while the member is told of a connection or of its end

  std::mutex mutex_; // guards what follows; never held while the member is told anything
  std::condition_variable changed_;
  std::uint64_t told_ = 0;              ///< the connection that the member knows of; 0: none
  std::map<std::string, deadline> due_; ///< what to look at, and when; "": everything
  bool draining_ = false;
  bool closed_ = false;
  std::uint64_t may_not_make_ = 0; ///< the connection on which the server refused to make streams
  int timeouts_ = 0;               ///< in a row, on this connection
  std::map<std::string, std::uint64_t> commands_;   ///< their sequences, as told in this connection
  std::map<std::string, std::uint64_t> unreadable_; ///< what was complained about
};

template <class T>
outcome<T>
nats_lease_store::core::call(std::uint64_t connection, std::vector<std::string> subjects,
                             std::function<outcome<T>(const nats::session&, deadline)> work) {
  auto done = link_->call<T>(
    {patience_, std::move(subjects), nats::upkeep_limit},
    [connection, work = std::move(work)](const session_ptr& made, deadline until) -> outcome<T> {
      if (made->id() != connection)
        return failure{ec::store_unavailable, "that connection is gone"};
      return work(*made, until);
    });
  leave_silent_server(connection, !done && done.error().code == ec::timed_out);
  return done;
}

} // namespace harmony

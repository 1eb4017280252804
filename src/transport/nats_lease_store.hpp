#pragma once

#include <functional>
#include <memory>
#include <string>

#include "failover/ports.hpp"
#include "model/outcome.hpp"
#include "transport/store.hpp"

namespace harmony {

/// What a member's connection to the store of its cluster needs.
struct lease_store_options {
  store_options how; ///< to reach the server; the connection is its own
  std::string cluster;
  std::string node; ///< this member
  failover::timings periods;
  /// Told what a person should know: what the server refuses, a record that cannot be read, a
  /// stream that is missing. Thread-safe, and may be empty.
  std::function<void(const std::string&)> log;
};

/// The store of one cluster, in two JetStream streams of a NATS server, 2.9.10 or newer.
/// docs/reconcilers/postgres-cluster.md has their subjects.
///
/// What it hears on a hint subject only makes it read: the value comes from the stream's leader, to
/// an inbox that nobody else knows. It has no consumer on the server.
///
/// A lease record that was deleted or cannot be read is no "no record": it is told as a sequence
/// without one, and the log says why.
class nats_lease_store final : public failover::lease_store {
public:
  /// Fails with invalid_spec for a URL that is none of NATS, or a name that cannot be in a subject.
  static outcome<std::unique_ptr<nats_lease_store>> make(lease_store_options options);
  ~nats_lease_store() override;
  nats_lease_store(const nats_lease_store&) = delete;
  nats_lease_store& operator=(const nats_lease_store&) = delete;

  /// Makes the streams where they are missing and the server lets it, with one replica.
  void open(failover::event_sink sink) override;
  void close() override;
  void read(const failover::fx::read& what) override;
  void cas(const failover::fx::cas& what) override;
  void publish(const failover::member_heartbeat& beat) override;
  void publish(const failover::history_entry& entry) override;
  void consume(const std::string& command) override;

private:
  class core; // shared with the calls under way, which may outlive this
  explicit nats_lease_store(std::shared_ptr<core> inside);

  std::shared_ptr<core> core_;
};

} // namespace harmony

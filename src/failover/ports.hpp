#pragma once

// What a member of a failover cluster needs of the world. Each port has threads of its own: no call
// here waits for anything, and what comes of it is told to the sink.

#include <functional>
#include <string>
#include <variant>

#include "core/failover/events.hpp"

namespace harmony::failover {

/// Where a port puts what happened. Thread-safe and quick; does nothing once the member has ended.
using event_sink = std::function<void(event)>;

/// The store of one cluster: its lease record, its heartbeats, its commands.
class lease_store {
public:
  virtual ~lease_store() = default;

  /// Connects, again and again for ever. Tells `ev::connected` (with a number that no connection of
  /// this process had before) and `ev::disconnected`; within a connection `ev::record_seen` at its
  /// begin and as soon as it hears of a change, `ev::heartbeat` for each that is published or lies
  /// there when it begins, `ev::command` for each that lies there or comes, and `ev::command_gone`.
  /// Call it once.
  virtual void open(event_sink sink) = 0;
  /// Ends the connection; waits at most about a second. The sink is not called after it.
  virtual void close() = 0;

  /// From the leader. Answered by `ev::record_read` or `ev::request_failed`, soon after
  /// `timings::request` at the latest.
  virtual void read(const fx::read& what) = 0;
  /// Only on the connection that it names. Answered by `ev::cas_done`, `ev::cas_wrong_sequence` or
  /// `ev::request_failed`, which says nothing of what became of it.
  virtual void cas(const fx::cas& what) = 0;

  // Not answered; lost where there is no connection.
  virtual void publish(const member_heartbeat& beat) = 0;
  virtual void publish(const history_entry& entry) = 0;
  virtual void consume(const std::string& command) = 0;
};

/// An order to PostgreSQL.
using pg_order =
  std::variant<fx::start_standby, fx::start_primary, fx::promote, fx::stop_fast, fx::follow,
               fx::rewind, fx::reclone, fx::set_sync_names, fx::checkpoint>;

/// This member's PostgreSQL, and the guard that owns its processes.
class database {
public:
  virtual ~database() = default;

  /// Tells `ev::guard` whenever the guard's answer changes, and `ev::observed`: after each order
  /// that is over, when the guard says that something changed, and every so often. Call it once.
  virtual void open(event_sink sink) = 0;
  /// Leaves PostgreSQL and the guard as they are; waits at most about a second.
  virtual void close() = 0;

  /// Answered by `ev::operation_done`, each (but the checkpoint). A stop does not wait for what is
  /// under way, which is given up.
  virtual void carry_out(const pg_order& what) = 0;
  /// On a path of its own: waits for nothing that is under way.
  virtual void arm(const fx::arm_guard& what) = 0;
  /// Takes the guard's deadline away, now that PostgreSQL has stopped. `done` is called soon, from
  /// another thread, with whether there is no deadline now: also where the guard has gone.
  virtual void disarm(std::function<void(bool)> done) = 0;

  /// What a person should know of it, one line; empty: nothing. Thread-safe.
  [[nodiscard]] virtual std::string trouble() const { return {}; }
};

} // namespace harmony::failover

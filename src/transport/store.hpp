#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "identity/login.hpp"
#include "model/outcome.hpp"

namespace harmony {

/// The key-value buckets; docs/protocol.md says who writes which.
enum class bucket {
  desired_state,
  actual_state,
  device_info,
  enrolment,         ///< by the id of a token: what became of it
  enrolment_request, ///< by the id of a token: what a device asked with it; written once for ever
};

/// "desired-state" and so on.
std::string_view name_of(bucket b) noexcept;

/// A value and its revision. Revisions of one key grow; 0 never occurs.
struct store_entry {
  std::string value;
  std::uint64_t revision = 0;
  std::chrono::system_clock::time_point written; ///< by the store's clock
};

/// A command that came for an agent.
struct store_command {
  std::string verb;
  std::string payload;
  /// Sends the one answer. Blocks for at most a second; to be called once, from any thread, also
  /// after the subscription ended. Fails as a call does; the caller then waits in vain.
  std::function<outcome<void>(std::string_view answer)> reply;
};

/// Ends the subscription when it goes; after its destructor returned, no callback runs.
class subscription {
public:
  virtual ~subscription() = default;
};

/// The port to the store. Two implementations hold the same contract, checked by one conformance
/// suite: `nats_store` and `directory_store`.
///
/// Calls block for at most their timeout and are thread-safe; several threads may be in one at
/// once, and one that hangs holds up no other. Callbacks come on threads of the store and must not
/// block.
class store {
public:
  using milliseconds = std::chrono::milliseconds;
  /// The key that may have changed; empty: any may have (after a reconnect).
  using on_change = std::function<void(std::string key)>;
  using on_state = std::function<void(bool connected, std::string detail)>;
  using on_command = std::function<void(store_command command)>;

  virtual ~store() = default;

  /// Creates the buckets where they are missing; leaves existing ones as they are. For operators:
  /// an agent has no right to do this.
  virtual outcome<void> prepare(milliseconds timeout) = 0;

  /// The newest entry of `key`; nothing for a key that is absent or was deleted. Fails with
  /// store_unavailable, timed_out, store_denied or bucket_not_found.
  virtual outcome<std::optional<store_entry>> get(bucket b, std::string_view key,
                                                  milliseconds timeout) = 0;

  /// Writes `value` if the newest revision of `key` is `expected` (0: absent or deleted), durably;
  /// gives the new revision. Fails with `conflict` otherwise. After `timed_out` the write may have
  /// happened: call again with the same arguments, and the store recognises its own write where it
  /// can.
  virtual outcome<std::uint64_t> put(bucket b, std::string_view key, std::string_view value,
                                     std::uint64_t expected, milliseconds timeout) = 0;

  /// Deletes `key` if its newest revision is `expected`. Fails with `conflict` otherwise.
  virtual outcome<void> remove(bucket b, std::string_view key, std::uint64_t expected,
                               milliseconds timeout) = 0;

  /// The keys of a bucket that are not deleted, sorted. For operators.
  virtual outcome<std::vector<std::string>> keys(bucket b, milliseconds timeout) = 0;

  /// The entries of `key` that the store still has, newest first, deletions left out: the newest
  /// `history_length` at most. Only desired state has a history; for other buckets it is the newest
  /// entry. For operators.
  virtual outcome<std::vector<store_entry>> history(bucket b, std::string_view key,
                                                    milliseconds timeout) = 0;
  static constexpr std::size_t history_length = 10;

  /// Calls `sink` after each change of `key` (empty: of any key) could be read, and after each
  /// (re)connect. A hint, never the value: several changes may give one call, and a call may come
  /// without a change.
  virtual outcome<std::unique_ptr<subscription>> watch(bucket b, std::string_view key,
                                                       on_change sink) = 0;

  /// Sends a heartbeat. Not durable. Fails with store_unavailable at once when not connected;
  /// nothing is buffered.
  virtual outcome<void> beat(std::string_view agent, std::string_view payload) = 0;

  /// The newest heartbeat of `agent` and when it came; nothing when none is known. For operators.
  virtual outcome<std::optional<store_entry>> last_beat(std::string_view agent,
                                                        milliseconds timeout) = 0;

  /// Calls `sink` with each heartbeat's agent id as it comes. For operators.
  virtual outcome<std::unique_ptr<subscription>> watch_beats(on_change sink) = 0;

  /// Gives `sink` each command that comes for `agent`, over all connections to come.
  virtual outcome<std::unique_ptr<subscription>> serve(std::string_view agent, on_command sink) = 0;

  /// Sends a command to `agent` and waits for its answer. Fails with agent_unreachable at once
  /// where nobody serves it, and with timed_out where the answer does not come. `close` ends it.
  /// For operators.
  virtual outcome<std::string> request(std::string_view agent, std::string_view verb,
                                       std::string_view payload, milliseconds timeout) = 0;

  /// Calls `sink` now and whenever the connection is gained or lost. At most one sink.
  virtual void watch_connection(on_state sink) = 0;

  /// Ends the connection; every later call fails with store_unavailable. Idempotent; waits at most
  /// about a second.
  virtual void close() = 0;
};

/// How to reach a store.
struct store_options {
  std::string url;  ///< "nats://host:port[,…]", "tls://…" or "dir:/absolute/path"
  std::string name; ///< client name shown by the server, e.g. "harmony-agent pi-0042"
  /// Who this client is, asked at each connection; in place of `credentials` and `nkey`.
  std::function<outcome<login>()> as;
  std::string credentials;  ///< path of a NATS .creds file, or of a JWT beside `nkey`; empty: none
  std::string nkey;         ///< path of the seed of the user's key, mode 0600; empty: none
  std::string ca_file;      ///< path of a CA certificate bundle; empty: the system's
  std::string cert_file;    ///< path of this client's certificate, for mutual TLS; empty: none
  std::string key_file;     ///< path of that certificate's key, mode 0600
  std::string inbox_prefix; ///< e.g. "_INBOX.pi-0042"; empty: the client's default
  std::uint64_t seed = 0;   ///< of the reconnect jitter; 0: random
};

/// A store's URL for logs and people: without user and password.
std::string shown_url(std::string_view url);

/// Opens a store. Returns at once: the connection is made, and made again for ever, in the
/// background; calls before that fail with store_unavailable. Fails with invalid_spec for a URL
/// that it does not understand.
outcome<std::unique_ptr<store>> open_store(const store_options& options);

} // namespace harmony

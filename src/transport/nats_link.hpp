#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "identity/login.hpp"
#include "transport/callback_gate.hpp"
#include "transport/nats_handles.hpp"
#include "transport/nats_login.hpp"
#include "transport/nats_url.hpp"
#include "transport/reconnect_pace.hpp"
#include "transport/store.hpp"
#include "transport/worker_pool.hpp"

namespace harmony::nats {

/// What a listener is told.
struct incoming {
  std::string key;       ///< end of the subject; empty: the server confirmed the subscription
  std::string_view data; ///< of the message; gone after the call
  std::string reply;     ///< where an answer is awaited; empty: nowhere
};
using on_incoming = std::function<void(const incoming&)>;

/// A subject that somebody listens to, over all connections to come.
struct listener {
  listener(std::string s, std::size_t prefix, on_incoming sink)
    : subject(std::move(s)), prefix_bytes(prefix), gate(std::move(sink)) {}

  std::string subject;
  std::size_t prefix_bytes; ///< what follows them in a message's subject is the key
  callback_gate<on_incoming> gate;
  void* id = nullptr; ///< of this in the library's callbacks

  std::mutex mutex; // guards the two below
  subscription_ptr handle;
  std::uint64_t session = 0; // that `handle` belongs to
};

/// A call under way: whichever comes first answers it, its worker, a denial or the end.
struct pending_call {
  std::vector<std::string> subjects; ///< what it publishes to; begins of subjects
  std::mutex mutex;
  std::condition_variable answered;
  std::optional<failure> refused;
  bool done = false;

  void refuse(failure why);
};

/// How many jobs may be under way at once, by kind: upkeep goes before heartbeats, and those before
/// everything else.
inline constexpr std::size_t call_limit = 16;
inline constexpr std::size_t beat_limit = 20;
inline constexpr std::size_t upkeep_limit = 64;

struct call_options {
  std::chrono::milliseconds timeout;
  std::vector<std::string> subjects; ///< what the call publishes to; begins of subjects
  std::size_t limit = call_limit;
};

/// The connection to NATS, made and made again for ever.
///
///     connecting --connected--> up --lost--> waiting --delay over--> connecting
///         `------failed--------------------->'          any --close--> closed
///
/// The client library's own reconnect is off. It holds the connection's lock while it waits for a
/// server, so that publishing and even asking for the state block; it buffers what is published
/// meanwhile and sends it late; and it gives up for good after two refused log-ins. Here each
/// attempt is a new connection, made on a thread of its own, which nobody else sees before it is
/// up.
///
/// Every call into the library runs on a worker, and the caller waits no longer than its timeout: a
/// call that hangs holds its worker and nothing else.
class link : public std::enable_shared_from_this<link> {
public:
  using milliseconds = std::chrono::milliseconds;
  using deadline = std::chrono::steady_clock::time_point;
  using session_ptr = std::shared_ptr<session>;

  link(store_options options, std::vector<server> servers);

  /// Begins to connect. Call it once.
  void start();

  /// Ends the connection; waits at most about a second for calls under way. Idempotent.
  void close();

  /// Runs `work` on a worker with the connection, and gives its result, or fails: store_unavailable
  /// (or store_denied, where the log-in was refused) at once when not connected; timed_out; and
  /// store_denied when the server refuses one of the subjects.
  template <class T>
  outcome<T> call(call_options how, std::function<outcome<T>(const session_ptr&, deadline)> work);

  /// A connection newer than `old`, waiting for it until `until`; null when there is none.
  session_ptr newer_session(std::uint64_t old, deadline until);

  /// Calls `sink` with each message, its key being what follows the first `prefix_bytes` of the
  /// subject, and with an empty one after each time that the server confirmed the subscription.
  outcome<std::unique_ptr<subscription>> listen(std::string subject, std::size_t prefix_bytes,
                                                on_incoming sink);

  void watch_connection(store::on_state sink);

  // For the library's callbacks.
  void lost(std::uint64_t id, const std::string& why);
  void refused(const std::string& text);
  void missed_messages();

  /// For the subscription that ends.
  void unsubscribe(const std::shared_ptr<listener>& what);

private:
  outcome<session_ptr> current();
  outcome<void> run(const std::shared_ptr<pending_call>& pending, milliseconds timeout,
                    std::size_t limit, std::function<void()> job);

  void connect(milliseconds delay);
  outcome<session_ptr> connect_to(const server& target, bool& met);
  outcome<options_ptr> options_for(const server& target, login_attempt& as, void* id) const;
  outcome<void> install(const session_ptr& made);
  void establish(const session_ptr& made);
  natsStatus subscribe(const std::shared_ptr<listener>& what, const session_ptr& made);
  std::vector<std::shared_ptr<listener>> live_listeners();
  void announce(bool connected, const std::string& detail);
  bool pause_until(deadline when);
  milliseconds jittered(milliseconds delay);

  const store_options options_;
  const std::vector<server> servers_;
  worker_pool workers_{[] { nats_ReleaseThreadMemory(); }};

  std::mutex mutex_; // guards what follows, up to the blank line
  std::condition_variable changed_;
  session_ptr session_; // null while not connected
  failure why_not_{ec::store_unavailable, "not connected yet"};
  std::uint64_t attempt_ = 0;       // the newest connection's number, up or not yet
  bool attempt_lost_ = false;       // it ended before it was installed
  std::uint64_t without_inbox_ = 0; // the connection that may not subscribe to its inbox
  std::vector<std::weak_ptr<listener>> listeners_;
  std::set<std::shared_ptr<pending_call>> pending_;
  std::mt19937_64 random_;
  reconnect_pace pace_;
  deadline up_since_{}; // of `session_`
  bool closed_ = false;

  std::recursive_mutex state_mutex_; // recursive: a sink may ask for another
  store::on_state state_sink_;
  bool announced_ = false;
  std::string detail_ = "connecting";
};

template <class T>
outcome<T> link::call(call_options how,
                      std::function<outcome<T>(const session_ptr&, deadline)> work) {
  auto connected = current();
  if (!connected)
    return connected.error();
  const auto timeout = std::max(how.timeout, milliseconds{1});
  const auto until = std::chrono::steady_clock::now() + timeout;
  auto pending = std::make_shared<pending_call>();
  pending->subjects = std::move(how.subjects);
  auto result = std::make_shared<std::optional<outcome<T>>>(); // read only once `done`
  auto job = [pending, result, until, work = std::move(work),
              connection = std::move(*connected)]() mutable {
    auto answer = work(connection, until);
    connection.reset();
    const std::lock_guard guard{pending->mutex};
    if (pending->refused)
      return; // the caller left
    result->emplace(std::move(answer));
    pending->done = true;
    pending->answered.notify_all();
  };
  if (auto ran = run(pending, timeout, how.limit, std::move(job)); !ran)
    return ran.error();
  return std::move(**result);
}

/// Publishes a message that nobody confirms.
outcome<void> publish_plainly(link& to, std::string subject, std::string text, call_options how);

} // namespace harmony::nats

// What looks at a cluster's keys, whenever something may have changed.
#include <algorithm>
#include <array>
#include <utility>

#include "transport/lease_core.hpp"

namespace harmony {

namespace {

using namespace failover;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr auto make_patience = milliseconds{5000};
constexpr auto begin_again = milliseconds{1000};
constexpr std::size_t drain_limit = 64; // of workers
constexpr std::size_t most_due = 1000;  // far more than a cluster has keys
constexpr std::string_view take_prefix = "take.";

bool begins_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

std::string id_of_server(const nats::session& made) {
  std::array<char, 128> id{};
  natsConnection_GetConnectedServerId(made.connection(), id.data(), id.size());
  return id.data();
}

} // namespace

void nats_lease_store::core::consume(const std::string& command) {
  mark(std::string{take_prefix} + command);
}

void nats_lease_store::core::mark(const std::string& what) {
  const std::lock_guard guard{mutex_};
  if (closed_ || due_.size() >= most_due)
    return;
  due_[what] = steady_clock::now();
  changed_.notify_all();
  if (!draining_)
    draining_ = workers_.post([self = shared_from_this()] { self->drain(); }, drain_limit);
}

void nats_lease_store::core::drain() {
  for (std::string what; next_due(what);) {
    const auto of = connection();
    if (look_at(what))
      continue;
    const std::lock_guard guard{mutex_};
    if (what.empty() || told_ == of)
      due_.emplace(what, steady_clock::now() + (what.empty() ? begin_again : patience_));
  }
}

/// Waits for it; false when there is nothing left.
bool nats_lease_store::core::next_due(std::string& what) {
  std::unique_lock guard{mutex_};
  for (;;) {
    if (closed_ || due_.empty()) {
      draining_ = false;
      return false;
    }
    const auto now = steady_clock::now();
    const auto is_due = [&](const auto& each) { return each.second <= now; };
    auto at = due_.begin();
    if (!at->first.empty() || !is_due(*at)) {
      at = due_.find(std::string{nats::lease_key});
      if (at == due_.end() || !is_due(*at))
        at = std::find_if(due_.begin(), due_.end(), is_due);
    }
    if (at != due_.end()) {
      what = at->first;
      due_.erase(at);
      return true;
    }
    const auto earlier = [](const auto& a, const auto& b) { return a.second < b.second; };
    const auto until = std::min_element(due_.begin(), due_.end(), earlier)->second;
    changed_.wait_until(guard, until);
  }
}

bool nats_lease_store::core::look_at(const std::string& what) {
  if (what.empty())
    return begin_connection();
  const auto of = connection();
  if (of == 0)
    return true; // the next connection begins with everything
  if (what == nats::lease_key)
    return look_at_lease(of);
  if (begins_with(what, nats::member_beat_prefix))
    return look_at_beat(of, what);
  if (begins_with(what, nats::cluster_command_prefix))
    return look_at_command(of, what);
  if (begins_with(what, take_prefix))
    return take_away(of, what.substr(take_prefix.size()));
  return true;
}

bool nats_lease_store::core::begin_connection() {
  struct place {
    std::uint64_t connection = 0;
    std::string server;
  };
  auto at = link_->call<place>({patience_, {}, nats::upkeep_limit},
                               [](const session_ptr& made, deadline /*until*/) -> outcome<place> {
                                 return place{made->id(), id_of_server(*made)};
                               });
  if (!at) // tried again, unless the connection is gone: then the next one begins anew
    return link_->newer_session(0, deadline::min()) == nullptr;
  const auto place = call<nats::lease_place>(
    at->connection, {nats::cluster_api, nats::stream_api},
    [cluster = options_.cluster](const nats::session& made, deadline until) {
      return nats::lease_place_of(made, cluster, until);
    });
  if (!place)
    missing_or_denied(at->connection, place.error());
  else if (!place->unsafe.empty())
    complain("", at->connection, place->unsafe);
  if (place && !place->leader.empty())
    at->server += ", leader " + place->leader;
  tell_connected(at->connection, at->server);
  return scan(at->connection);
}

/// Makes the streams where they are missing and it may.
void nats_lease_store::core::missing_or_denied(std::uint64_t connection, const failure& why) {
  if (why.code == ec::store_denied)
    complain("denied", connection, why.message);
  if (why.code != ec::bucket_not_found)
    return;
  {
    const std::lock_guard guard{mutex_};
    if (may_not_make_ == connection)
      return;
  }
  const auto done =
    link_->call<void>({std::max(make_patience, patience_), {"$JS.API.STREAM."}, nats::upkeep_limit},
                      [cluster = options_.cluster](const session_ptr& made, deadline until) {
                        return nats::make_cluster_streams(*made, cluster, 1, until);
                      });
  if (!done && done.error().code == ec::store_denied) {
    const std::lock_guard guard{mutex_};
    may_not_make_ = connection; // an answer that never comes costs a thread each time
  }
  complain("", connection,
           done ? "the streams of cluster '" + options_.cluster + "' were missing: made them"
                : why.message + "; this member could not: " + done.error().message);
}

/// What lies there when a connection begins.
bool nats_lease_store::core::scan(std::uint64_t connection) {
  mark(std::string{nats::lease_key});
  for (const auto prefix : {nats::member_beat_prefix, nats::cluster_command_prefix}) {
    const auto keys = call<std::vector<std::string>>(
      connection, {nats::cluster_api, nats::stream_api},
      [cluster = options_.cluster, prefix](const nats::session& made, deadline until) {
        return nats::cluster_keys(made, cluster, prefix, until);
      });
    if (!keys) {
      missing_or_denied(connection, keys.error());
      return connection != this->connection(); // a newer one does it again
    }
    for (const auto& key : *keys)
      mark(key);
  }
  return true;
}

bool nats_lease_store::core::look_at_lease(std::uint64_t connection) {
  const auto found = read_lease(connection);
  if (found)
    tell(ev::record_seen{connection, found->sequence, found->record});
  if (!found && found.error().code == ec::bucket_not_found) { // made there, if it may be
    const std::lock_guard guard{mutex_};
    due_.emplace("", steady_clock::now() + begin_again);
  }
  return found.ok();
}

bool nats_lease_store::core::look_at_beat(std::uint64_t connection, const std::string& key) {
  const auto found = read_key(connection, key);
  if (!found || !*found || (*found)->deletion)
    return found.ok();
  const auto node = key.substr(nats::member_beat_prefix.size());
  const auto beat = read_member_heartbeat((*found)->value);
  if (!beat || beat->node != node)
    complain(key, (*found)->sequence,
             "the heartbeat of '" + node + "' cannot be used: "
               + (beat ? "it names '" + beat->node + "'" : beat.error().message));
  else
    tell(ev::heartbeat{connection, *beat});
  return true;
}

bool nats_lease_store::core::look_at_command(std::uint64_t connection, const std::string& key) {
  const auto found = read_key(connection, key);
  if (!found)
    return false;
  const auto id = key.substr(nats::cluster_command_prefix.size());
  if (!*found || (*found)->deletion) {
    tell(ev::command_gone{id});
    return true;
  }
  const auto command = read_cluster_command((*found)->value);
  if (!command || command->id != id) {
    complain(key, (*found)->sequence,
             "the command '" + id + "' cannot be used: "
               + (command ? "it names '" + command->id + "'" : command.error().message));
    return true;
  }
  {
    const std::lock_guard guard{mutex_};
    auto& told = commands_[id];
    if (std::exchange(told, (*found)->sequence) == (*found)->sequence)
      return true;
  }
  tell(ev::command{*command});
  return true;
}

bool nats_lease_store::core::take_away(std::uint64_t connection, const std::string& command) {
  const auto key = std::string{nats::cluster_command_prefix} + command;
  const auto found = read_key(connection, key);
  if (!found || !*found || (*found)->deletion)
    return found.ok();
  {
    const std::lock_guard guard{mutex_};
    const auto told = commands_.find(command);
    if (told != commands_.end() && told->second != (*found)->sequence)
      return true; // another command by now
  }
  const nats::conditional_write mark_of_deletion{nats::cluster_stream_of(options_.cluster),
                                                 nats::cluster_prefix_of(options_.cluster) + key,
                                                 {},
                                                 (*found)->sequence,
                                                 false,
                                                 true};
  const auto done = call<std::uint64_t>(connection, {mark_of_deletion.subject},
                                        [mark_of_deletion](const nats::session& made, deadline u) {
                                          return nats::write_if(made, mark_of_deletion, u);
                                        });
  if (!done && done.error().code == ec::store_denied)
    complain(key, connection, done.error().message);
  return done || done.error().code == ec::conflict || done.error().code == ec::store_denied;
}

} // namespace harmony

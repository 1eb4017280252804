#include "transport/lease_core.hpp"

#include <utility>

#include "transport/nats_errors.hpp"

namespace harmony {

namespace {

using namespace failover;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr auto close_patience = milliseconds{100};
constexpr std::size_t request_limit = 64; // of workers
constexpr int silent_after = 3;           // requests in a row

} // namespace

nats_lease_store::core::core(lease_store_options options, std::vector<nats::server> servers)
  : options_(std::move(options)),
    patience_(std::chrono::ceil<milliseconds>(options_.periods.request)),
    has_other_servers_(servers.size() > 1),
    link_(std::make_shared<nats::link>(options_.how, std::move(servers))),
    gate_([this](const event& e) { sink_(e); }) {}

void nats_lease_store::core::open(event_sink sink) {
  sink_ = std::move(sink);
  link_->watch_connection([weak = weak_from_this()](bool up, const std::string& detail) {
    const auto self = weak.lock();
    if (!self)
      return;
    if (!up)
      self->tell_disconnected();
    self->log(detail);
  });
  const auto prefix = nats::cluster_hint_prefix_of(options_.cluster);
  auto hints = link_->listen(prefix + ">", prefix.size(),
                             [weak = weak_from_this()](const nats::incoming& what) {
                               if (const auto self = weak.lock())
                                 self->mark(what.key);
                             });
  if (hints)
    hints_ = std::move(*hints);
  link_->start();
}

void nats_lease_store::core::close() {
  gate_.shut();
  {
    const std::lock_guard guard{mutex_};
    if (std::exchange(closed_, true))
      return;
    changed_.notify_all();
  }
  hints_.reset();
  link_->close();
  workers_.close(close_patience);
}

void nats_lease_store::core::read(const fx::read& what) {
  const auto job = [self = shared_from_this(), what] {
    if (const auto found = self->read_lease(what.connection))
      self->tell(ev::record_read{what.request, found->sequence, found->record});
    else
      self->tell(ev::request_failed{what.request});
  };
  if (!workers_.post(job, request_limit))
    tell(ev::request_failed{what.request});
}

void nats_lease_store::core::cas(const fx::cas& what) {
  const auto text = write(what.record);
  if (const auto back = read_lease_record(text); !back) { // nobody could take over from it
    complain("cas", what.request, "no such lease record is written: " + back.error().message);
    tell(ev::request_failed{what.request});
    return;
  }
  auto job = [self = shared_from_this(), what, text] {
    const auto& cluster = self->options_.cluster;
    const nats::conditional_write change{nats::lease_stream_of(cluster),
                                         nats::lease_subject_of(cluster),
                                         text,
                                         what.expected,
                                         true,
                                         false};
    const auto done = self->call<std::uint64_t>(
      what.connection, {change.subject}, [change](const nats::session& made, deadline until) {
        return nats::write_if(made, change, until);
      });
    if (done)
      self->tell(ev::cas_done{what.request, *done});
    else if (done.error().code == ec::conflict)
      self->tell(ev::cas_wrong_sequence{what.request});
    else
      self->tell(ev::request_failed{what.request});
    if (!done && done.error().code != ec::conflict && done.error().code != ec::timed_out)
      self->complain("cas", what.connection, done.error().message);
  };
  if (!workers_.post(std::move(job), request_limit))
    tell(ev::request_failed{what.request});
}

void nats_lease_store::core::publish(const std::string& key, const std::string& value) {
  auto job = [self = shared_from_this(), key, value] {
    const auto subject = nats::cluster_prefix_of(self->options_.cluster) + key;
    const auto done = nats::publish_plainly(*self->link_, subject, value,
                                            {self->patience_, {subject}, nats::beat_limit});
    if (!done && done.error().code == ec::store_denied)
      self->complain(key, self->connection(), done.error().message);
  };
  // Where no worker is free it is lost, as without a connection.
  [[maybe_unused]] const bool posted = workers_.post(std::move(job), request_limit);
}

// The library takes ten seconds to find that a server is gone without a word. A lease has not so
// long, and another server may answer.
void nats_lease_store::core::leave_silent_server(std::uint64_t connection, bool timed_out) {
  {
    const std::lock_guard guard{mutex_};
    timeouts_ = timed_out && connection == told_ ? timeouts_ + 1 : 0;
    if (timeouts_ < silent_after || !has_other_servers_)
      return;
    timeouts_ = 0;
  }
  log("the server does not answer: another one is tried");
  [[maybe_unused]] const auto ended =
    link_->call<void>({patience_, {}, nats::upkeep_limit},
                      [connection](const session_ptr& made, deadline /*until*/) -> outcome<void> {
                        if (made->id() == connection)
                          natsConnection_Close(made->connection());
                        return {};
                      });
}

outcome<std::optional<nats::stored_message>>
nats_lease_store::core::read_key(std::uint64_t connection, std::string_view key) {
  const auto& cluster = options_.cluster;
  const bool lease = key == nats::lease_key;
  const auto stream = lease ? nats::lease_stream_of(cluster) : nats::cluster_stream_of(cluster);
  const auto subject =
    lease ? nats::lease_subject_of(cluster) : nats::cluster_prefix_of(cluster) + std::string{key};
  return call<std::optional<nats::stored_message>>(
    connection, {nats::cluster_api, nats::stream_api},
    [stream, subject](const nats::session& made, deadline until) {
      return nats::leader_read(made, stream, subject, until);
    });
}

outcome<nats_lease_store::core::sight>
nats_lease_store::core::read_lease(std::uint64_t connection) {
  const auto found = read_key(connection, nats::lease_key);
  if (!found) {
    if (found.error().code != ec::timed_out && found.error().code != ec::store_unavailable)
      complain("", connection, found.error().message);
    return found.error();
  }
  if (!*found)
    return sight{};
  const auto sequence = (*found)->sequence;
  const auto record = (*found)->deletion
                        ? outcome<lease_record>{ec::invalid_document, "it was deleted"}
                        : read_lease_record((*found)->value);
  if (record)
    return sight{sequence, *record};
  complain(std::string{nats::lease_key}, sequence,
           "the lease record of cluster '" + options_.cluster + "' (sequence "
             + std::to_string(sequence) + ") cannot be used: " + record.error().message
             + "; a member that has the lease, or knows an earlier record, writes it again");
  return sight{sequence, {}};
}

void nats_lease_store::core::tell(const event& what) {
  gate_.call(what);
}

void nats_lease_store::core::tell_connected(std::uint64_t connection, const std::string& server) {
  session_ptr made; // goes after the locks
  const std::lock_guard guard{told_mutex_};
  made = link_->newer_session(0, deadline::min());
  if (made == nullptr || made->id() != connection)
    return;
  {
    const std::lock_guard state{mutex_};
    if (std::exchange(told_, connection) == connection)
      return;
    commands_.clear();
    timeouts_ = 0;
  }
  tell(ev::connected{connection, server});
}

void nats_lease_store::core::tell_disconnected() {
  const std::lock_guard guard{told_mutex_};
  {
    const std::lock_guard state{mutex_};
    due_.clear();
    if (std::exchange(told_, 0) == 0)
      return;
  }
  tell(ev::disconnected{});
}

void nats_lease_store::core::log(const std::string& what) {
  if (options_.log)
    options_.log(what);
}

void nats_lease_store::core::complain(const std::string& about, std::uint64_t number,
                                      const std::string& why) {
  {
    const std::lock_guard guard{mutex_};
    if (closed_)
      return;
    const auto [at, fresh] = unreadable_.emplace(about, number);
    if (!fresh && std::exchange(at->second, number) == number)
      return;
  }
  log(why);
}

std::uint64_t nats_lease_store::core::connection() {
  const std::lock_guard guard{mutex_};
  return told_;
}

} // namespace harmony

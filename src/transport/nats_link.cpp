#include "transport/nats_link.hpp"

#include <array>
#include <cstdio>
#include <utility>

#include "fault/fault.hpp"
#include "identity/secret_file.hpp"
#include "transport/nats_errors.hpp"

namespace harmony::nats {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr auto connect_timeout = milliseconds{12'000}; // a slow link's; the guard ends what hangs
constexpr auto write_timeout = milliseconds{2000};
constexpr auto flush_timeout = milliseconds{10'000};
constexpr auto ping_interval = milliseconds{3500};
constexpr int pings_unanswered = 2; // so that a dead connection is noticed after 10.5 s at most
constexpr auto close_patience = milliseconds{1000};

std::string last_error_of(natsConnection* connection) {
  const char* text = nullptr;
  natsConnection_GetLastError(connection, &text);
  return text == nullptr ? "" : text;
}

void on_closed(natsConnection* connection, void* id) {
  const auto text = last_error_of(connection);
  if (const auto self = callback_ids<link>::find(id))
    self->lost(reinterpret_cast<std::uintptr_t>(id),
               text.empty() ? "connection lost" : "connection lost: " + text);
}

void on_error(natsConnection* connection, natsSubscription* /*subscription*/, natsStatus status,
              void* id) {
  const auto self = callback_ids<link>::find(id);
  if (self == nullptr)
    return;
  if (status == NATS_SLOW_CONSUMER)
    self->missed_messages();
  else
    self->refused(last_error_of(connection));
}

void on_message(natsConnection* /*connection*/, natsSubscription* /*subscription*/,
                natsMsg* message, void* id) {
  const msg_ptr owned{message};
  const auto what = callback_ids<listener>::find(id);
  if (what == nullptr)
    return;
  const std::string subject = natsMsg_GetSubject(message);
  const char* reply = natsMsg_GetReply(message);
  if (subject.size() > what->prefix_bytes)
    what->gate.call(
      incoming{subject.substr(what->prefix_bytes),
               {natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message))},
               reply == nullptr ? "" : reply});
}

// A neighbour may have an answer of its own sent to any subject of the devices' account, so that
// the place where answers are awaited must not be guessed.
std::string secret_inbox(const std::string& prefix) {
  std::random_device random;
  std::array<char, 40> token{};
  std::snprintf(token.data(), token.size(), "%08x%08x%08x%08x", random(), random(), random(),
                random());
  return prefix + "." + token.data();
}

class listening final : public subscription {
public:
  listening(std::weak_ptr<link> owner, std::shared_ptr<listener> what)
    : owner_(std::move(owner)), what_(std::move(what)) {}
  listening(const listening&) = delete;
  listening& operator=(const listening&) = delete;
  ~listening() override {
    what_->gate.shut();
    callback_ids<listener>::drop(what_->id);
    if (const auto owner = owner_.lock())
      owner->unsubscribe(what_);
  }

private:
  std::weak_ptr<link> owner_;
  std::shared_ptr<listener> what_;
};

} // namespace

link::link(store_options options, std::vector<server> servers)
  : options_(std::move(options)),
    servers_(std::move(servers)),
    random_(options_.seed != 0 ? options_.seed : std::random_device{}()) {}

void link::start() {
  if (!workers_.post([self = shared_from_this()] { self->connect(milliseconds{0}); }, upkeep_limit))
    announce(false, "the system gives no more threads");
}

// Until there is a connection. One worker at a time is in here.
void link::connect(milliseconds delay) {
  auto begun = steady_clock::now();
  const auto offset = static_cast<std::size_t>(jittered(milliseconds{1000}).count());
  for (;;) {
    if (!pause_until(begun + jittered(delay)))
      return;
    begun = steady_clock::now();
    bool met = false;
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      const auto& target = servers_.at((offset + i) % servers_.size());
      auto made = connect_to(target, met);
      auto up = made ? install(*made) : outcome<void>{made.error()};
      if (up) {
        announce(true, "connected to '" + target.shown + "'");
        establish(*made);
        return;
      }
      {
        const std::lock_guard guard{mutex_};
        if (closed_)
          return;
        why_not_ = up.error();
      }
      announce(false, up.error().message);
    }
    const std::lock_guard guard{mutex_};
    delay = pace_.failed(met);
  }
}

outcome<link::session_ptr> link::connect_to(const server& target, bool& met) {
  auto* const id = callback_ids<link>::add(weak_from_this());
  const auto number = reinterpret_cast<std::uintptr_t>(id);
  {
    const std::lock_guard guard{mutex_};
    attempt_ = number;
    attempt_lost_ = false;
  }
  const auto failed = [&](failure why) {
    callback_ids<link>::drop(id);
    if (why.code == ec::timed_out)
      why.code = ec::store_unavailable;
    return why;
  };
  const auto doing = "connect to '" + target.shown + "'";
  const auto as = options_.as ? options_.as() : load_login({options_.credentials, options_.nkey});
  if (!as)
    return failed({ec::store_unavailable, "cannot " + doing + ": " + as.error().message});
  login_attempt attempt{&*as};
  auto options = options_for(target, attempt, id);
  if (!options)
    return failed(options.error());
  natsConnection* connection = nullptr;
  {
    const handshake_guard guard{workers_, target.port};
    const auto s = nats::connect(&connection, options->get(), attempt);
    met = met || s != NATS_NO_SERVER; // that is, no TCP connection
    if (s != NATS_OK) {
      auto why = from_status(s, jsErrCode{}, doing);
      return failed(target.tls ? with_certificate(std::move(why), s, options_.cert_file) : why);
    }
  }
  jsCtx* context = nullptr;
  const auto s = natsConnection_JetStream(&context, connection, nullptr);
  auto made = std::make_shared<session>(connection, context, number);
  if (s != NATS_OK)
    return failed(from_status(s, jsErrCode{}, doing));
  return made;
}

// `as` is used by the connection that is made with these options, while it is being made.
outcome<options_ptr> link::options_for(const server& target, login_attempt& as, void* id) const {
  const auto doing = "set up the connection to '" + target.shown + "'";
  if (target.tls && !options_.key_file.empty())
    if (auto closed = check_private(options_.key_file); !closed)
      return failure{ec::store_unavailable, "cannot " + doing + ": " + closed.error().message};
  natsOptions* raw = nullptr;
  auto status = natsOptions_Create(&raw);
  options_ptr options{raw};
  const auto set = [&](auto setter, auto... args) {
    if (status == NATS_OK)
      status = setter(raw, args...);
  };
  set(natsOptions_SetURL, target.url.c_str());
  if (!options_.name.empty())
    set(natsOptions_SetName, options_.name.c_str());
  set(natsOptions_SetTimeout, connect_timeout.count());
  set(natsOptions_SetAllowReconnect, false); // see the type's comment
  set(natsOptions_SetIgnoreDiscoveredServers, true);
  set(natsOptions_SetPingInterval, ping_interval.count());
  set(natsOptions_SetMaxPingsOut, pings_unanswered);
  set(natsOptions_SetWriteDeadline, write_timeout.count());
  // Fewer threads: no flusher, and one thread for the messages of all connections.
  set(natsOptions_SetSendAsap, true);
  set(natsOptions_UseGlobalMessageDelivery, true);
  set(natsOptions_SetClosedCB, on_closed, id);
  set(natsOptions_SetErrorHandler, on_error, id);
  if (!options_.inbox_prefix.empty())
    set(natsOptions_SetCustomInboxPrefix, secret_inbox(options_.inbox_prefix).c_str());
  set(set_login, &as);
  if (target.tls) {
    set(natsOptions_SetSecure, true);
    if (!options_.ca_file.empty())
      set(natsOptions_LoadCATrustedCertificates, options_.ca_file.c_str());
    if (!options_.cert_file.empty())
      set(natsOptions_LoadCertificatesChain, options_.cert_file.c_str(), options_.key_file.c_str());
    set(natsOptions_SetExpectedHostname, target.host.c_str());
  }
  if (status != NATS_OK)
    return from_status(status, jsErrCode{}, doing);
  return options;
}

outcome<void> link::install(const session_ptr& made) {
  const std::lock_guard guard{mutex_};
  if (closed_)
    return {ec::store_unavailable, "the store was closed"};
  if (attempt_lost_)
    return {ec::store_unavailable, "the server ended the connection at once"};
  session_ = made;
  up_since_ = steady_clock::now();
  changed_.notify_all();
  return {};
}

// Subscribes everything anew, and tells the listeners once the server has it all.
void link::establish(const session_ptr& made) {
  const auto all = live_listeners();
  natsStatus status = NATS_OK;
  for (const auto& each : all)
    if (status == NATS_OK)
      status = subscribe(each, made);
  if (status == NATS_OK)
    status = natsConnection_FlushTimeout(made->connection(), flush_timeout.count());
  if (status != NATS_OK) {
    natsConnection_Close(made->connection()); // its callback begins anew
    return;
  }
  for (const auto& each : all)
    each->gate.call(incoming{});
}

natsStatus link::subscribe(const std::shared_ptr<listener>& what, const session_ptr& made) {
  const std::lock_guard guard{what->mutex};
  if (what->session == made->id() || !what->gate.open())
    return NATS_OK;
  HARMONY_FAULT_OR("nats.subscribe.before", return NATS_ERR);
  natsSubscription* handle = nullptr;
  const auto status = natsConnection_Subscribe(&handle, made->connection(), what->subject.c_str(),
                                               on_message, what->id);
  if (status == NATS_OK) {
    what->handle.reset(handle);
    what->session = made->id();
  }
  HARMONY_FAULT_OR("nats.subscribe.after", return NATS_ERR);
  return status;
}

outcome<std::unique_ptr<subscription>> link::listen(std::string subject, std::size_t prefix_bytes,
                                                    on_incoming sink) {
  auto what = std::make_shared<listener>(std::move(subject), prefix_bytes, std::move(sink));
  what->id = callback_ids<listener>::add(what);
  auto guard_of_id = std::make_unique<listening>(weak_from_this(), what);
  session_ptr made;
  {
    const std::lock_guard guard{mutex_};
    if (closed_)
      return {ec::store_unavailable, "cannot watch: the store was closed"};
    listeners_.push_back(what);
    made = session_;
  }
  if (made == nullptr)
    return std::unique_ptr<subscription>{std::move(guard_of_id)}; // once there is a connection
  auto job = [self = shared_from_this(), what, made]() mutable {
    if (self->subscribe(what, made) == NATS_OK
        && natsConnection_FlushTimeout(made->connection(), flush_timeout.count()) == NATS_OK)
      what->gate.call(incoming{});
    else
      natsConnection_Close(made->connection()); // its callback begins anew
    made.reset();
  };
  if (!workers_.post(std::move(job), upkeep_limit))
    return {ec::store_unavailable, "cannot watch: too many calls are under way"};
  return std::unique_ptr<subscription>{std::move(guard_of_id)};
}

void link::unsubscribe(const std::shared_ptr<listener>& what) {
  auto job = [what] {
    const std::lock_guard guard{what->mutex};
    what->handle.reset(); // unsubscribes
  };
  // Where no worker is free the connection is on its way out, and the subscription with it.
  [[maybe_unused]] const bool posted = workers_.post(std::move(job), upkeep_limit);
}

std::vector<std::shared_ptr<listener>> link::live_listeners() {
  std::vector<std::shared_ptr<listener>> live;
  const std::lock_guard guard{mutex_};
  std::erase_if(listeners_, [&](const auto& weak) {
    auto each = weak.lock();
    if (!each)
      return true;
    live.push_back(std::move(each));
    return false;
  });
  return live;
}

// The library ended connection `id`, for whatever reason.
void link::lost(std::uint64_t id, const std::string& why) {
  session_ptr gone;
  milliseconds delay{};
  {
    const std::lock_guard guard{mutex_};
    if (session_ == nullptr || session_->id() != id) {
      attempt_lost_ |= attempt_ == id;
      return;
    }
    gone = std::move(session_);
    why_not_ = {ec::store_unavailable, why};
    delay = pace_.lost(std::chrono::duration_cast<milliseconds>(steady_clock::now() - up_since_));
  }
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the number that stood for it
  callback_ids<link>::drop(reinterpret_cast<void*>(id));
  announce(false, why);
  auto job = [self = shared_from_this(), gone = std::move(gone), delay]() mutable {
    gone.reset();
    self->connect(delay);
  };
  [[maybe_unused]] const bool posted = workers_.post(std::move(job), upkeep_limit);
}

// The library dropped messages of a listener that was too slow.
void link::missed_messages() {
  for (const auto& each : live_listeners())
    each->gate.call(incoming{});
}

void link::watch_connection(store::on_state sink) {
  const std::lock_guard guard{state_mutex_};
  state_sink_ = std::move(sink);
  if (state_sink_)
    state_sink_(announced_, detail_);
}

void link::announce(bool connected, const std::string& detail) {
  const std::lock_guard guard{state_mutex_};
  if (std::exchange(announced_, connected) == connected && detail_ == detail)
    return;
  detail_ = detail;
  if (state_sink_)
    state_sink_(connected, detail);
}

// Waits; false when the link was closed.
bool link::pause_until(deadline when) {
  std::unique_lock guard{mutex_};
  return !changed_.wait_until(guard, when, [&] { return closed_; });
}

// Between half of `delay` and all of it, so that a fleet does not come back in step.
milliseconds link::jittered(milliseconds delay) {
  const std::lock_guard guard{mutex_};
  std::uniform_int_distribution<milliseconds::rep> spread{delay.count() / 2, delay.count()};
  return milliseconds{spread(random_)};
}

void link::close() {
  session_ptr gone;
  std::set<std::shared_ptr<pending_call>> cut;
  {
    const std::lock_guard guard{mutex_};
    if (closed_)
      return;
    closed_ = true;
    why_not_ = {ec::store_unavailable, "the store was closed"};
    gone = std::move(session_);
    cut = pending_;
    changed_.notify_all();
  }
  for (const auto& each : cut)
    each->refuse({ec::store_unavailable, "the store was closed"});
  if (gone) {
    auto job = [gone = std::move(gone)]() mutable {
      natsConnection_Close(gone->connection());
      gone.reset();
    };
    [[maybe_unused]] const bool posted = workers_.post(std::move(job), upkeep_limit);
  }
  workers_.close(close_patience);
  announce(false, "closed");
}

} // namespace harmony::nats

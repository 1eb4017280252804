#include "topology/systemd_loop.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "topology/systemd_calls.hpp"

namespace harmony {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto already_subscribed = "org.freedesktop.systemd1.AlreadySubscribed";
constexpr auto units_path = "/org/freedesktop/systemd1/unit";
constexpr milliseconds first_retry{100};
constexpr milliseconds last_retry{5000};
constexpr seconds patience{2};
constexpr seconds subscribe_timeout{5};
// dbus-daemon allows 512 rules a connection on the system bus; beyond this, one rule for all units.
constexpr std::size_t most_unit_matches = 256;

constexpr std::array manager_matches{
  "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
  "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='org.freedesktop.systemd1'",
  "type='signal',sender='org.freedesktop.systemd1',path='/org/freedesktop/systemd1',"
  "interface='org.freedesktop.systemd1.Manager',member='JobRemoved'",
  "type='signal',sender='org.freedesktop.systemd1',path='/org/freedesktop/systemd1',"
  "interface='org.freedesktop.systemd1.Manager',member='Reloading'",
  "type='signal',sender='org.freedesktop.systemd1',path='/org/freedesktop/systemd1',"
  "interface='org.freedesktop.systemd1.Manager',member='UnitFilesChanged'"};

std::string unit_match(const std::string& path) {
  const auto where =
    path.empty() ? std::string{"path_namespace='"} + units_path + "'" : "path='" + path + "'";
  return "type='signal',sender='org.freedesktop.systemd1'," + where
         + ",interface='org.freedesktop.DBus.Properties',member='PropertiesChanged'";
}

bus_request subscribe_call() {
  return systemd_calls::manager_call("Subscribe", {}, bus_answer::none);
}

} // namespace

systemd_loop::systemd_loop(std::string address, milliseconds reload_quiet)
  : address_(std::move(address)),
    reload_quiet_(reload_quiet),
    wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
    connecting_since_(clock::now()),
    next_try_(connecting_since_),
    retry_delay_(first_retry) {}

systemd_loop::~systemd_loop() {
  if (wake_ >= 0)
    ::close(wake_);
}

// -- from other threads ------------------------------------------------------------------------

void systemd_loop::post(task t) {
  {
    const std::lock_guard lock{queue_mutex_};
    queue_.push_back(std::move(t));
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_, &one, sizeof one);
}

void systemd_loop::stop() {
  stopping_ = true;
  post([] {});
}

systemd_loop::wait_ptr systemd_loop::call(std::vector<bus_request> requests,
                                          clock::time_point deadline) {
  auto wait = std::make_shared<bus_wait>();
  wait->replies.resize(requests.size());
  wait->missing = requests.size();
  post([this, wait, requests = std::move(requests), deadline] {
    whenever_up(wait, [this, wait, requests, deadline] {
      for (std::size_t i = 0; i < requests.size(); ++i)
        in_turn(wait, [this, wait, i, request = requests[i], deadline] {
          send(wait, i, request, deadline);
        });
    });
  });
  return wait;
}

systemd_loop::wait_ptr systemd_loop::look(std::vector<std::string> units,
                                          std::vector<bus_request> more,
                                          clock::time_point deadline) {
  auto wait = std::make_shared<bus_wait>();
  wait->replies.resize(1 + more.size());
  wait->missing = 1 + more.size();
  post([this, what = looking{wait, std::move(units), std::move(more), deadline}] {
    whenever_up(what.wait, [this, what] {
      looking_.push_back(what);
      send_waiting();
    });
  });
  return wait;
}

systemd_loop::wait_ptr systemd_loop::job(bus_request request, clock::time_point deadline) {
  auto wait = std::make_shared<bus_wait>();
  wait->replies.resize(1);
  wait->missing = 1;
  post([this, wait, request = std::move(request), deadline] {
    whenever_up(wait, [this, wait, request, deadline] {
      in_turn(wait, [this, wait, request, deadline] { send_job(wait, request, deadline); });
    });
  });
  return wait;
}

systemd_loop::wait_ptr systemd_loop::reload() {
  auto wait = std::make_shared<bus_wait>();
  wait->replies.resize(1);
  wait->missing = 1;
  post([this, wait] {
    whenever_up(wait, [this, wait] {
      last_reload_asked_ = clock::now();
      if (reload_waiting_.empty())
        first_reload_asked_ = last_reload_asked_;
      reload_waiting_.push_back(wait);
    });
  });
  return wait;
}

systemd_loop::wait_ptr systemd_loop::job_end(std::string unit) {
  auto wait = std::make_shared<bus_wait>();
  wait->replies.resize(1);
  wait->missing = 1;
  post([this, wait, unit = std::move(unit)] {
    whenever_up(wait, [this, wait, unit] { unit_jobs_.emplace(unit, wait); });
  });
  return wait;
}

void systemd_loop::abandon(const wait_ptr& wait) {
  post([this, wait] {
    in_flight_.erase(wait);
    std::erase_if(jobs_, [&](const auto& j) { return j.second == wait; });
    std::erase_if(unit_jobs_, [&](const auto& j) { return j.second == wait; });
    std::erase_if(queued_, [&](const auto& q) { return q.first == wait; });
    std::erase_if(looking_, [&](const looking& l) { return l.wait == wait; });
    std::erase(reload_waiting_, wait);
  });
}

void systemd_loop::listen(systemd_events::on_event sink) {
  const std::lock_guard lock{sink_mutex_};
  sink_ = std::move(sink);
}

void systemd_loop::watch_units(std::vector<std::string> units) {
  post([this, units = std::move(units)] {
    watched_.clear();
    for (const auto& u : units)
      watched_.emplace(unit_object_path(u), u);
    if (phase_ == phase::up)
      sync_matches();
  });
}

// -- the loop ----------------------------------------------------------------------------------

void systemd_loop::run() {
  while (!stopping_) {
    step();
    wait_for_work();
  }
  up_ = false;
  give_up("the agent is shutting down");
  disconnect();
}

void systemd_loop::step() {
  drain();
  if (phase_ != phase::up && clock::now() >= next_try_) {
    if (link_)
      subscribe();
    else
      connect();
  }
  if (const auto due = reload_due(); due && clock::now() >= *due)
    send_reload();
  while (link_ && !stopping_) {
    const auto more = link_->process();
    if (!more) {
      lose(more.error().message, false);
      break;
    }
    if (!*more)
      break;
  }
  if (phase_ == phase::connecting && clock::now() >= connecting_since_ + patience)
    give_up("the service manager does not answer on the bus");
}

void systemd_loop::wait_for_work() {
  std::array<pollfd, 2> fds{};
  fds[0] = {wake_, POLLIN, 0};
  nfds_t count = 1;
  auto timeout = wake_ < 0 ? 10 : -1; // without an eventfd (EMFILE), look now and then
  if (link_) {
    fds[1] = {link_->fd(), link_->poll_events(), 0};
    count = 2;
    timeout = link_->poll_timeout();
  }
  auto until = [&](clock::time_point t) {
    const auto left = std::chrono::ceil<milliseconds>(t - clock::now()).count();
    const auto ms = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
    timeout = timeout < 0 ? ms : std::min(timeout, ms);
  };
  if (phase_ != phase::up)
    until(next_try_);
  if (phase_ == phase::connecting)
    until(connecting_since_ + patience);
  if (const auto due = reload_due())
    until(*due);
  ::poll(fds.data(), count, timeout);
  std::uint64_t ignored = 0;
  [[maybe_unused]] const auto n = ::read(wake_, &ignored, sizeof ignored);
}

void systemd_loop::drain() {
  std::vector<task> tasks;
  {
    const std::lock_guard lock{queue_mutex_};
    tasks.swap(queue_);
  }
  for (auto& t : tasks)
    t();
}

// -- the connection ----------------------------------------------------------------------------

void systemd_loop::connect() {
  auto failed = [this](const std::string& why) {
    disconnect();
    give_up(why);
  };
  auto opened = systemd_link::open(address_, [this](const bus_signal& s) { deliver(s); });
  if (!opened)
    return failed(opened.error().message);
  link_ = std::move(opened).value();
  ++epoch_;
  for (const auto* rule : manager_matches) {
    auto slot = link_->match(rule);
    if (!slot)
      return failed(slot.error().message);
    matches_.push_back(std::move(slot).value());
  }
  subscribe();
}

void systemd_loop::disconnect() {
  unit_matches_.clear();
  matches_.clear();
  link_.reset();
  unanswered_ = 0;
}

void systemd_loop::subscribe() {
  const auto epoch = epoch_;
  auto answered = [this, epoch](const bus_reply& reply) {
    if (epoch != epoch_ || phase_ == phase::up)
      return;
    if (!reply.error || reply.error->name == already_subscribed)
      return become_up();
    // The manager is not on the bus (yet): its NameOwnerChanged, or the next try, leads back here.
    give_up("the service manager does not answer on the bus: " + reply.error->message);
  };
  next_try_ = clock::now() + subscribe_timeout;
  // A connection that cannot send is found broken by the next `process`.
  if (auto sent = ask(subscribe_call(), subscribe_timeout, answered); !sent)
    give_up(sent.error().message);
}

void systemd_loop::become_up() {
  phase_ = phase::up;
  retry_delay_ = first_retry;
  sync_matches();
  up_ = true;
  tell({systemd_event::kind::restored, {}});
  auto ready = std::move(queued_);
  queued_.clear();
  for (auto& [wait, send_now] : ready) {
    in_flight_.insert(wait);
    send_now();
  }
}

void systemd_loop::lose(const std::string& why, bool manager_only) {
  const bool was_up = phase_ == phase::up;
  phase_ = phase::connecting;
  connecting_since_ = clock::now();
  up_ = false;
  ++epoch_;
  if (manager_only) {
    next_try_ = connecting_since_ + patience;
  } else {
    disconnect();
    next_try_ = connecting_since_;
  }
  // What was under way may have happened or not: its caller looks again.
  outgoing_.clear();
  looking_.clear();
  listing_ = false;
  const auto lost = std::exchange(in_flight_, {});
  jobs_.clear();
  unit_jobs_.clear();
  early_.clear();
  starting_ = 0;
  reload_running_.clear();
  reload_waiting_.clear();
  for (const auto& wait : lost)
    fail(wait, why);
  if (was_up)
    tell({systemd_event::kind::lost, {}});
}

void systemd_loop::give_up(const std::string& why) {
  phase_ = phase::down;
  why_down_ = why;
  next_try_ = clock::now() + retry_delay_;
  retry_delay_ = std::min(retry_delay_ * 2, last_retry);
  const auto waiting = std::exchange(queued_, {});
  for (const auto& [wait, send_now] : waiting)
    fail(wait, why);
  if (stopping_)
    for (const auto& wait : std::exchange(in_flight_, {}))
      fail(wait, why);
}

void systemd_loop::sync_matches() {
  std::set<std::string> wanted;
  if (watched_.size() > most_unit_matches)
    wanted.insert(std::string{});
  else
    for (const auto& [path, unit] : watched_)
      wanted.insert(path);
  for (const auto& path : wanted)
    if (unit_matches_.count(path) == 0)
      if (auto slot = link_->match(unit_match(path)))
        unit_matches_.emplace(path, std::move(slot).value());
  std::erase_if(unit_matches_, [&](const auto& m) { return wanted.count(m.first) == 0; });
}

} // namespace harmony

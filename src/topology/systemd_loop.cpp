#include "topology/systemd_loop.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace harmony {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto manager_path = "/org/freedesktop/systemd1";
constexpr auto manager_interface = "org.freedesktop.systemd1.Manager";
constexpr auto already_subscribed = "org.freedesktop.systemd1.AlreadySubscribed";
constexpr auto units_path = "/org/freedesktop/systemd1/unit";
constexpr milliseconds first_retry{100};
constexpr milliseconds last_retry{5000};
constexpr seconds patience{2};
constexpr seconds subscribe_timeout{5};
// A reload reads every unit file and runs every generator; its callers have deadlines of their own.
constexpr seconds reload_timeout{120};
constexpr milliseconds longest_call{90'000};
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

milliseconds time_left(systemd_loop::clock::time_point deadline) {
  const auto now = systemd_loop::clock::now();
  if (deadline <= now)
    return milliseconds{1};
  if (deadline - now >= longest_call)
    return longest_call;
  return std::chrono::ceil<milliseconds>(deadline - now);
}

bus_request manager_call(std::string method) {
  return {manager_path, manager_interface, std::move(method), {}, bus_answer::none};
}

} // namespace

systemd_loop::systemd_loop(std::string address)
  : address_(std::move(address)),
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
        send(wait, i, requests[i], deadline);
    });
  });
  return wait;
}

systemd_loop::wait_ptr systemd_loop::job(bus_request request, clock::time_point deadline) {
  auto wait = std::make_shared<bus_wait>();
  wait->replies.resize(1);
  wait->missing = 1;
  post([this, wait, request = std::move(request), deadline] {
    whenever_up(wait, [this, wait, request, deadline] { send_job(wait, request, deadline); });
  });
  return wait;
}

systemd_loop::wait_ptr systemd_loop::reload() {
  auto wait = std::make_shared<bus_wait>();
  wait->replies.resize(1);
  wait->missing = 1;
  post([this, wait] {
    whenever_up(wait, [this, wait] {
      reload_waiting_.push_back(wait);
      if (reload_running_.empty())
        send_reload();
    });
  });
  return wait;
}

void systemd_loop::abandon(const wait_ptr& wait) {
  post([this, wait] {
    in_flight_.erase(wait);
    std::erase_if(jobs_, [&](const auto& j) { return j.second == wait; });
    std::erase_if(queued_, [&](const auto& q) { return q.first == wait; });
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
  unit_matches_.clear();
  matches_.clear();
  link_.reset();
}

void systemd_loop::step() {
  drain();
  if (phase_ != phase::up && clock::now() >= next_try_) {
    if (link_)
      subscribe();
    else
      connect();
  }
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
    unit_matches_.clear();
    matches_.clear();
    link_.reset();
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
  if (auto sent = link_->call(manager_call("Subscribe"), subscribe_timeout, answered); !sent)
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
    unit_matches_.clear();
    matches_.clear();
    link_.reset();
    next_try_ = connecting_since_;
  }
  // What was under way may have happened or not: its caller looks again.
  const auto lost = std::exchange(in_flight_, {});
  jobs_.clear();
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

// -- calls -------------------------------------------------------------------------------------

void systemd_loop::whenever_up(const wait_ptr& wait, task send_now) {
  if (phase_ == phase::down || stopping_)
    return fail(wait, why_down_);
  if (phase_ == phase::up) {
    in_flight_.insert(wait);
    send_now();
  } else {
    queued_.emplace_back(wait, std::move(send_now));
  }
}

void systemd_loop::send(const wait_ptr& wait, std::size_t index, const bus_request& request,
                        clock::time_point deadline) {
  auto done = [this, wait, index](bus_reply reply) {
    fulfil(wait, index, std::move(reply));
    if (wait->missing == 0)
      in_flight_.erase(wait);
  };
  if (auto sent = link_->call(request, time_left(deadline), done); !sent) {
    in_flight_.erase(wait);
    fail(wait, sent.error().message);
  }
}

void systemd_loop::send_job(const wait_ptr& wait, const bus_request& request,
                            clock::time_point deadline) {
  const auto epoch = epoch_;
  auto answered = [this, wait, epoch](bus_reply reply) {
    if (epoch != epoch_)
      return;
    if (starting_ > 0)
      --starting_;
    if (reply.error) {
      in_flight_.erase(wait);
      fulfil(wait, 0, std::move(reply));
    } else if (in_flight_.count(wait) != 0) {
      {
        const std::lock_guard lock{wait->mutex};
        wait->accepted = true;
      }
      jobs_.emplace(reply.text, wait);
      if (const auto early = early_.find(reply.text); early != early_.end())
        job_ended(early->first, std::string{early->second});
    }
    if (starting_ == 0)
      early_.clear();
  };
  ++starting_;
  if (auto sent = link_->call(request, time_left(deadline), answered); !sent) {
    --starting_;
    in_flight_.erase(wait);
    fail(wait, sent.error().message);
  }
}

void systemd_loop::job_ended(const std::string& path, const std::string& result) {
  const auto [first, last] = jobs_.equal_range(path);
  for (auto i = first; i != last; ++i) {
    bus_reply reply;
    reply.text = result;
    in_flight_.erase(i->second);
    fulfil(i->second, 0, std::move(reply));
  }
  jobs_.erase(first, last);
}

void systemd_loop::send_reload() {
  reload_running_ = std::exchange(reload_waiting_, {});
  const auto epoch = epoch_;
  auto done = [this, epoch](const bus_reply& reply) {
    if (epoch != epoch_)
      return;
    for (const auto& wait : std::exchange(reload_running_, {})) {
      in_flight_.erase(wait);
      fulfil(wait, 0, reply);
    }
    if (!reload_waiting_.empty() && phase_ == phase::up)
      send_reload();
  };
  ++reloads_;
  if (auto sent = link_->call(manager_call("Reload"), reload_timeout, done); !sent)
    for (const auto& wait : std::exchange(reload_running_, {})) {
      in_flight_.erase(wait);
      fail(wait, sent.error().message);
    }
}

void systemd_loop::fulfil(const wait_ptr& wait, std::size_t index, bus_reply reply) {
  const std::lock_guard lock{wait->mutex};
  if (wait->missing == 0)
    return;
  wait->replies[index] = std::move(reply);
  --wait->missing;
  wait->changed.notify_all();
}

void systemd_loop::fail(const wait_ptr& wait, const std::string& why) {
  const std::lock_guard lock{wait->mutex};
  if (wait->missing == 0)
    return;
  wait->replies.front().error = bus_error{"org.freedesktop.DBus.Error.Disconnected", why};
  wait->missing = 0;
  wait->changed.notify_all();
}

// -- signals -----------------------------------------------------------------------------------

void systemd_loop::deliver(const bus_signal& signal) {
  using kind = systemd_event::kind;
  if (signal.member == "PropertiesChanged") {
    if (const auto unit = watched_.find(signal.path); unit != watched_.end())
      tell({kind::unit, unit->second});
  } else if (signal.member == "JobRemoved") {
    const auto& path = signal.arguments.at(0);
    if (starting_ > 0)
      early_[path] = signal.arguments.at(2);
    job_ended(path, signal.arguments.at(2));
    if (watched_.count(unit_object_path(signal.arguments.at(1))) != 0)
      tell({kind::unit, signal.arguments.at(1)});
  } else if (signal.member == "UnitFilesChanged"
             || (signal.member == "Reloading" && signal.arguments.at(0) == "false")) {
    tell({kind::files, {}});
  } else if (signal.member == "NameOwnerChanged") {
    // A manager that executes itself anew leaves the bus and comes back: it knows no subscriber.
    if (phase_ == phase::up)
      lose("the service manager was restarted", true);
    if (!signal.arguments.at(2).empty()) {
      phase_ = phase::connecting;
      connecting_since_ = clock::now();
      subscribe();
    }
  }
}

void systemd_loop::tell(const systemd_event& event) {
  const std::lock_guard lock{sink_mutex_};
  if (sink_)
    sink_(event);
}

} // namespace harmony

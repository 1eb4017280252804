// The calls of a systemd_loop, and the signals that end them.

#include "topology/systemd_calls.hpp"
#include "topology/systemd_loop.hpp"

#include <algorithm>
#include <utility>

namespace harmony {

using systemd_calls::manager_call;

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A reload reads every unit file and runs every generator; its callers have deadlines of their own.
constexpr seconds reload_timeout{120};
constexpr milliseconds longest_call{90'000};
// dbus-daemon refuses a call beyond 128 without an answer on one connection of the system bus; the
// rest is for calls that take no turn.
constexpr std::size_t most_unanswered = 100;
// A reload is put off while more of its callers come, but not for ever: for so many quiet times.
constexpr int most_quiet_times = 20;

milliseconds time_left(systemd_loop::clock::time_point deadline) {
  const auto now = systemd_loop::clock::now();
  if (deadline <= now)
    return milliseconds{1};
  if (deadline - now >= longest_call)
    return longest_call;
  return std::chrono::ceil<milliseconds>(deadline - now);
}

bus_request list_call(std::vector<std::string> units) {
  return manager_call("ListUnitsByNames", {std::move(units)}, bus_answer::units);
}

bus_request reload_call() {
  return manager_call("Reload", {}, bus_answer::none);
}

} // namespace

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

void systemd_loop::in_turn(const wait_ptr& wait, task send) {
  outgoing_.emplace_back(wait, std::move(send));
  send_waiting();
}

void systemd_loop::send_waiting() {
  if (!looking_.empty() && !listing_ && unanswered_ < most_unanswered)
    send_list();
  while (!outgoing_.empty() && unanswered_ < most_unanswered) {
    const auto [wait, send] = std::move(outgoing_.front());
    outgoing_.pop_front();
    if (in_flight_.count(wait) != 0) // not left meanwhile
      send();
  }
}

outcome<void> systemd_loop::ask(const bus_request& request, milliseconds timeout,
                                systemd_link::on_reply done) {
  ++unanswered_;
  auto sent = link_->call(request, timeout, [this, done = std::move(done)](bus_reply reply) {
    --unanswered_;
    done(std::move(reply));
    send_waiting();
  });
  if (!sent)
    --unanswered_;
  return sent;
}

void systemd_loop::send(const wait_ptr& wait, std::size_t index, const bus_request& request,
                        clock::time_point deadline) {
  auto done = [this, wait, index](bus_reply reply) {
    fulfil(wait, index, std::move(reply));
    if (wait->missing == 0)
      in_flight_.erase(wait);
  };
  if (auto sent = ask(request, time_left(deadline), done); !sent) {
    in_flight_.erase(wait);
    fail(wait, sent.error().message);
  }
}

void systemd_loop::send_list() {
  auto all = std::exchange(looking_, {});
  std::vector<std::string> units;
  auto deadline = all.front().deadline;
  for (const auto& l : all) {
    units.insert(units.end(), l.units.begin(), l.units.end());
    deadline = std::max(deadline, l.deadline);
  }
  listing_ = true;
  ++lists_;
  const auto epoch = epoch_;
  auto answered = [this, epoch, all](bus_reply reply) {
    if (epoch != epoch_)
      return;
    listing_ = false;
    list_answered(all, std::move(reply));
  };
  if (auto sent = ask(list_call(std::move(units)), time_left(deadline), answered); !sent) {
    listing_ = false;
    for (const auto& l : all) {
      in_flight_.erase(l.wait);
      fail(l.wait, sent.error().message);
    }
    return;
  }
  for (auto& l : all)
    for (std::size_t i = 0; i < l.more.size(); ++i)
      outgoing_.emplace_back(l.wait,
                             [this, wait = l.wait, i, request = std::move(l.more[i]),
                              deadline = l.deadline] { send(wait, 1 + i, request, deadline); });
}

void systemd_loop::list_answered(const std::vector<looking>& all, bus_reply reply) {
  std::size_t asked = 0;
  for (const auto& l : all)
    asked += l.units.size();
  const bool whole = !reply.error && reply.units.size() == asked;
  auto row = reply.units.begin();
  for (const auto& l : all) {
    if (in_flight_.count(l.wait) == 0) { // left meanwhile
      row += whole ? static_cast<std::ptrdiff_t>(l.units.size()) : 0;
      continue;
    }
    if (!whole && all.size() > 1) { // for one name that the manager refuses, none has an answer
      in_turn(l.wait, [this, wait = l.wait, units = l.units, deadline = l.deadline] {
        send(wait, 0, list_call(units), deadline);
      });
      continue;
    }
    bus_reply own;
    if (whole) {
      const auto end = row + static_cast<std::ptrdiff_t>(l.units.size());
      own.units.assign(std::make_move_iterator(row), std::make_move_iterator(end));
      row = end;
    } else {
      own = reply; // the only one
    }
    fulfil(l.wait, 0, std::move(own));
    if (l.wait->missing == 0)
      in_flight_.erase(l.wait);
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
  if (auto sent = ask(request, time_left(deadline), answered); !sent) {
    --starting_;
    in_flight_.erase(wait);
    fail(wait, sent.error().message);
  }
}

void systemd_loop::job_ended(const std::string& path, const std::string& result) {
  end_waits(jobs_, path, result);
}

void systemd_loop::end_waits(std::multimap<std::string, wait_ptr>& waits, const std::string& key,
                             const std::string& result) {
  const auto [first, last] = waits.equal_range(key);
  for (auto i = first; i != last; ++i) {
    bus_reply reply;
    reply.text = result;
    in_flight_.erase(i->second);
    fulfil(i->second, 0, std::move(reply));
  }
  waits.erase(first, last);
}

std::optional<systemd_loop::clock::time_point> systemd_loop::reload_due() const {
  if (phase_ != phase::up || !reload_running_.empty() || reload_waiting_.empty())
    return {};
  return std::min(last_reload_asked_ + reload_quiet_,
                  first_reload_asked_ + most_quiet_times * reload_quiet_);
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
  };
  ++reloads_;
  if (auto sent = ask(reload_call(), reload_timeout, done); !sent)
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
    end_waits(unit_jobs_, signal.arguments.at(1), signal.arguments.at(2));
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

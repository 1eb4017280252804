#include "guard/keeper.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <limits>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard/system.hpp"

namespace harmony::guard {

namespace {

/// Between passes at killing: often while they end, and not so for what hangs in the kernel; within
/// the backstop's grace.
boot_time between_passes(boot_time since) {
  using std::chrono::milliseconds;
  return since < milliseconds{500} ? milliseconds{2} : backstop_grace / 2;
}
constexpr int requests_a_round = 8;

open_fd block_signals() {
  sigset_t all;
  ::sigemptyset(&all);
  for (const int each : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT})
    ::sigaddset(&all, each);
  ::sigprocmask(SIG_BLOCK, &all, nullptr);
  return open_fd{::signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK)};
}

std::string millis(boot_time t) {
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(t).count();
  const auto rest = std::to_string(micros % 1000 / 100);
  return std::to_string(micros / 1000) + "." + rest + " ms";
}

} // namespace

keeper::keeper(instance which, std::string socket, page& shown, int backstop, int changed)
  : which_(std::move(which)),
    socket_path_(std::move(socket)),
    shown_(shown),
    backstop_(backstop),
    changed_(changed),
    signals_(block_signals()),
    timer_(make_timer()),
    round_(watchdog_period() / 6) {}

int keeper::run() {
  if (auto ready = prepare(); !ready) {
    say(ready.error().message);
    return 1;
  }
  std::string lacking;
  harden(lacking);
  if (!lacking.empty())
    say("works without " + lacking + ", which it may not have");
  say("guards '" + which_.data_dir + "', listens at '" + socket_path_
      + (tree_.has_cgroup() ? "', kills by cgroup" : "'"));
  shown_.ready = true;
  ::eventfd_write(changed_, 1);
  while (!done_)
    loop();
  ::unlink(socket_path_.c_str());
  return 0;
}

/// A data directory that is not there yet, or not as it must be, is told to who asks for a start; a
/// server that somebody else started is left alone.
outcome<> keeper::prepare() {
  auto data = data_directory::open(which_.data_dir);
  if (!data && data.error().code == ec::name_conflict)
    return data.error();
  auto socket = listener::open(socket_path_);
  if (!socket)
    return socket.error();
  listener_.emplace(std::move(*socket));
  if (!data) {
    say("PostgreSQL cannot be started yet: " + data.error().message);
    return {};
  }
  data_.emplace(std::move(*data));
  if (auto clear = clear_strays(); !clear)
    say(clear.error().message);
  else
    settle();
  return {};
}

void keeper::loop() {
  wait();
  ++shown_.beats;
  happened(time_passed{}); // first of all, also when its timer was not heard
  take_signals();
  take_children();
  take_hints();
  if (state_.now == phase::killing)
    continue_killing();
  take_agents();
}

void keeper::wait() {
  set_timer(timer_.get(),
            state_.writable && state_.now != phase::killing ? state_.deadline : boot_time{0});
  // A backstop that has ended is told once: poll(2) passes over -1.
  std::array<pollfd, 6> ready{{{signals_.get(), POLLIN, 0},
                               {backstop_, POLLIN, 0},
                               {timer_.get(), POLLIN, 0},
                               {hints_.get(), POLLIN, 0},
                               {listener_->fd(), POLLIN, 0},
                               {listener_->agent(), POLLIN, 0}}};
  const auto rest =
    state_.now == phase::killing ? between_passes(boot_now() - kill_began_) : round_;
  const auto count = std::chrono::duration_cast<std::chrono::milliseconds>(rest).count();
  ::poll(ready.data(), ready.size(), count > 0 ? static_cast<int>(count) : -1);
  if ((ready[1].revents & POLLIN) != 0) {
    say("the guard's backstop has died: PostgreSQL is stopped");
    backstop_ = -1;
    happened(terminated{});
  }
}

void keeper::take_signals() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) > 0)
    if (info.ssi_signo != SIGCHLD)
      happened(terminated{});
}

void keeper::take_children() {
  int how = 0;
  for (pid_t pid = 0; (pid = ::waitpid(-1, &how, WNOHANG)) > 0;) {
    if (pid != postmaster_)
      continue;
    postmaster_ = 0;
    code_ = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
    happened(postmaster_ended{});
  }
}

/// PostgreSQL makes the file `promote` into a removed `standby.signal` before it can write.
void keeper::take_hints() {
  alignas(inotify_event) std::array<char, 4096> events{};
  bool promoting = false;
  bool any = false;
  for (ssize_t n = 0; (n = ::read(hints_.get(), events.data(), events.size())) > 0;)
    for (std::size_t at = 0; at < static_cast<std::size_t>(n);) {
      const auto* e = reinterpret_cast<const inotify_event*>(events.data() + at);
      at += sizeof(inotify_event) + e->len;
      any = true;
      // Not its end: a postmaster that starts removes one that was left over.
      promoting = promoting
                  || ((e->mask & (IN_CREATE | IN_MOVED_TO)) != 0 && e->len > 0
                      && std::string_view{e->name} == "promote");
    }
  if (promoting || (any && data_ && data_->lacks_standby_signal()))
    happened(promotion_seen{});
}

void keeper::take_agents() {
  if (listener_->accept(standing()))
    say("agent (pid " + std::to_string(listener_->agent_pid()) + ") commands");
  for (int i = 0; i < requests_a_round && listener_->agent() >= 0; ++i) {
    const auto message = listener_->receive();
    if (!message)
      break;
    answer(*message);
  }
  if (listener_->gone())
    say("agent went; PostgreSQL is " + std::string{word_of(state_.now)}
        + (state_.writable ? ", until the deadline" : ""));
}

/// A process may come to be behind a pass that finds none, and is found by the next.
void keeper::continue_killing() {
  const auto left = tree_.kill(postmaster_);
  take_children();
  if (left == 0 && postmaster_ == 0 && tree_.kill(0) == 0)
    happened(tree_emptied{});
}

/// The backstop sees what may be written before it may.
decision keeper::decide(const event& e) {
  auto d = step(state_, e, boot_now());
  const bool news = d.next != state_;
  if (d.next.now == phase::killing && state_.now != phase::killing) {
    kill_began_ = boot_now();
    missed_ = state_.deadline;
  }
  state_ = d.next;
  shown_.deadline = state_.deadline.count();
  shown_.killing = state_.now == phase::killing;
  shown_.writable = state_.writable;
  if (news)
    ::eventfd_write(changed_, 1);
  return d;
}

void keeper::happened(const event& e) {
  const auto before = state_.now;
  const auto d = decide(e);
  static_cast<void>(perform(d.act)); // none of those that can fail
  if (state_.now == before)
    return;
  if (std::holds_alternative<launch_failed>(e))
    return; // its answer says why
  if (state_.now == phase::stopped)
    announce(how_it_ended());
  else if (state_.now == phase::primary)
    announce("somebody else than its agent promoted PostgreSQL, within its lease");
  else if (state_.now == phase::killing && state_.ended == ending::deadline)
    announce("the deadline has passed: PostgreSQL is killed");
  else if (state_.now == phase::killing && state_.ended == ending::unlicensed)
    announce("PostgreSQL was promoted without a lease: it is killed");
}

void keeper::answer(const std::string& message) {
  const auto asked = read_request(message);
  report r;
  if (!asked) {
    r = standing();
    r.why = refusal::unintelligible;
  } else {
    const auto before = state_.now;
    const auto d = decide(std::visit([](const auto& a) -> event { return a; }, *asked));
    const auto done = perform(d.act);
    if (!done)
      happened(d.act == effect::tell_promote ? event{promote_failed{}} : event{launch_failed{}});
    r = standing();
    r.why = done ? d.refused : refusal::cannot_start;
    r.text = done ? "" : done.error().message;
    if (state_.now != before)
      say("PostgreSQL is " + std::string{word_of(state_.now)} + ": " + message);
  }
  r.what = r.why == refusal::none ? report::kind::ok : report::kind::refused;
  if (r.text.empty())
    r.text = text_of(r.why);
  if (r.what == report::kind::refused)
    say("refused '" + message + "': " + r.text);
  listener_->send(r);
}

void keeper::announce(const std::string& text) {
  say(text);
  auto r = standing();
  r.text = text;
  listener_->send(r);
}

report keeper::standing() const {
  report r;
  r.now = state_.now;
  r.pid = postmaster_;
  r.epoch = state_.epoch;
  r.deadline = state_.deadline;
  r.ended = state_.ended;
  r.code = code_;
  return r;
}

std::string keeper::how_it_ended() const {
  const auto now = boot_now();
  switch (state_.ended) {
  case ending::deadline:
    return "PostgreSQL is gone, " + millis(now - missed_) + " after its deadline";
  case ending::unlicensed:
    return "PostgreSQL is gone, " + millis(now - kill_began_) + " after its promotion was seen";
  case ending::exited: return "PostgreSQL ended by itself, code " + std::to_string(code_);
  case ending::stopped: break;
  case ending::none: return "PostgreSQL does not run";
  }
  return "PostgreSQL has stopped, code " + std::to_string(code_);
}

outcome<> keeper::perform(effect act) {
  switch (act) {
  case effect::none: break;
  case effect::launch_standby: return start_postgres(false);
  case effect::launch_primary: return start_postgres(true);
  case effect::tell_promote: return tell_promote();
  case effect::tell_stop: tell_stop(); break;
  case effect::kill_tree: static_cast<void>(tree_.kill(postmaster_)); break;
  case effect::settle: settle(); break;
  case effect::leave:
    settle();
    done_ = true;
    break;
  }
  return {};
}

} // namespace harmony::guard

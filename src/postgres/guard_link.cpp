#include "postgres/guard_link.hpp"

#include <array>
#include <cstdint>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "guard/system.hpp"

namespace harmony::postgres {

using namespace std::chrono_literals;

namespace {

constexpr auto patience = 500ms;    ///< for an answer to an arm or a status
constexpr auto start_patience = 5s; ///< the guard looks at the programs first
constexpr auto pause = 100ms;       ///< before the next try to connect
constexpr int silence = 1000;       ///< milliseconds after which it is asked how it is

} // namespace

void guard_link::open(teller told, std::function<void()> changed) {
  told_ = std::move(told);
  changed_ = std::move(changed);
  wake_ = open_fd{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
}

void guard_link::close() {
  thread_.request_stop();
  wake();
  if (thread_.joinable())
    thread_.join();
}

void guard_link::arm(const failover::fx::arm_guard& what) {
  const std::scoped_lock lock{mutex_};
  deadline_ = guard::arm{what.epoch, what.deadline.time_since_epoch() - kill_};
  wake();
}

void guard_link::disarm(std::function<void(bool)> done) {
  const std::scoped_lock lock{mutex_};
  deadline_.reset();
  ++disarms_;
  jobs_.push_back({guard::release{}, [done = std::move(done)](const outcome<guard::report>& r) {
                     done(r ? r->deadline.count() == 0 : r.error().code == ec::runtime_unavailable);
                   }});
  wake();
}

outcome<guard::report> guard_link::call(const guard::request& r, const check_limits& limits) {
  const auto answer = std::make_shared<std::promise<outcome<guard::report>>>();
  auto answered = answer->get_future();
  {
    const std::scoped_lock lock{mutex_};
    jobs_.push_back({r, [answer](outcome<guard::report> a) { answer->set_value(std::move(a)); }});
    wake();
  }
  // Not interrupted: what becomes of a start must be known. The link answers soon in any case.
  if (answered.wait_until(std::max(limits.end(), std::chrono::steady_clock::now() + start_patience))
      != std::future_status::ready)
    return {ec::timed_out, "the guard does not answer at '" + path_ + "'"};
  auto a = answered.get();
  if (a && a->what == guard::report::kind::refused)
    return {ec::not_allowed, "the guard refuses: "
                               + (a->text.empty() ? std::string{guard::text_of(a->why)} : a->text)};
  return a;
}

std::optional<guard::report> guard_link::last() const {
  const std::scoped_lock lock{mutex_};
  return last_;
}

void guard_link::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (!client_) {
      auto made = guard::client::connect(path_, guard::boot_now() + patience);
      if (!made) {
        lost(made.error());
        rest(stop, pause);
        continue;
      }
      client_.emplace(std::move(*made));
      note(client_->hello());
    }
    if (speak() && client_)
      listen();
  }
  lost({ec::canceled, "the member was closed"});
}

/// Passes on what there is to say; the deadline first, each time.
bool guard_link::speak() {
  for (;;) {
    std::optional<guard::arm> deadline;
    std::optional<job> next;
    std::uint64_t disarms = 0;
    {
      const std::scoped_lock lock{mutex_};
      disarms = disarms_;
      deadline = std::exchange(deadline_, std::nullopt);
      if (!deadline && !jobs_.empty()) {
        next = std::move(jobs_.front());
        jobs_.pop_front();
      }
    }
    if (deadline) {
      if (!ask(*deadline, [](const auto&) {})) {
        const std::scoped_lock lock{mutex_};
        if (!deadline_ && disarms_ == disarms)
          deadline_ = deadline;
        return false;
      }
    } else if (!next) {
      return true;
    } else if (!ask(next->what, next->answer)) {
      return false;
    }
  }
}

bool guard_link::ask(const guard::request& r,
                     const std::function<void(outcome<guard::report>)>& answer) {
  const bool quick =
    std::holds_alternative<guard::arm>(r) || std::holds_alternative<guard::status>(r);
  auto said =
    client_->call(r, guard::boot_now() + (quick ? guard::boot_time{patience} : start_patience));
  if (said)
    note(*said);
  answer(said);
  if (!said)
    lost(said.error());
  return said.ok();
}

/// Until the guard says something or there is something to say.
void guard_link::listen() {
  std::array<pollfd, 2> wanted{{{client_->fd(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
  const int n = ::poll(wanted.data(), wanted.size(), silence);
  std::uint64_t count = 0;
  if (wanted[1].revents != 0)
    (void)!::read(wake_.get(), &count, sizeof count);
  if (n == 0) {
    ask(guard::status{}, [](const auto&) {});
    return;
  }
  for (;;) {
    const auto heard = client_->next(guard::boot_now());
    if (!heard)
      return lost(heard.error());
    if (!*heard)
      return;
    note(**heard);
  }
}

void guard_link::note(std::optional<guard::report> r) {
  {
    const std::scoped_lock lock{mutex_};
    const bool same = last_ && r && last_->now == r->now && last_->pid == r->pid
                      && last_->epoch == r->epoch && last_->deadline == r->deadline;
    const bool nothing = !last_ && !r;
    last_ = std::move(r);
    news_.notify_all();
    if (same || nothing)
      return;
  }
  failover::ev::guard is;
  if (const auto now = last()) {
    is.healthy = true;
    if (now->deadline.count() > 0) {
      is.deadline = failover::instant{now->deadline + kill_};
      is.epoch = now->epoch;
    }
  }
  told_(is);
  changed_();
}

void guard_link::lost(const failure& why) {
  client_.reset();
  std::deque<job> unanswered;
  {
    const std::scoped_lock lock{mutex_};
    unanswered.swap(jobs_);
  }
  for (const auto& each : unanswered)
    each.answer(why);
  note(std::nullopt);
}

void guard_link::wake() const {
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

void guard_link::rest(const std::stop_token& stop, std::chrono::milliseconds t) {
  std::unique_lock lock{mutex_};
  news_.wait_for(lock, stop, t, [&] { return !jobs_.empty(); });
}

} // namespace harmony::postgres

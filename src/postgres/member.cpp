#include "postgres/member.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "postgres/looker.hpp"
#include "postgres/operations.hpp"

namespace harmony::postgres {

using namespace std::chrono_literals;

namespace {

constexpr auto slowest_pace = 250ms; ///< between looks
constexpr auto look_limit = 5s;
constexpr auto tend_pace = 2s; ///< between looks after slots, where nothing changed

std::uint64_t number_of(const failover::pg_order& order) {
  return std::visit(
    [](const auto& o) -> std::uint64_t {
      if constexpr (requires { o.operation; })
        return o.operation;
      else
        return 0;
    },
    order);
}

/// Who writes from then on has slots and a role for the others to come.
bool begins_to_write(const failover::pg_order& order) {
  return std::holds_alternative<failover::fx::promote>(order)
         || std::holds_alternative<failover::fx::start_primary>(order);
}

bool is_stop(const failover::pg_order& order) {
  return std::holds_alternative<failover::fx::stop_fast>(order);
}

} // namespace

class member::threads {
public:
  explicit threads(failover::member_settings s)
    : s_(std::move(s)),
      guard_(s_.guard_socket, s_.periods.kill),
      operations_(s_, guard_),
      looker_(s_) {}
  ~threads() { close(); }
  threads(const threads&) = delete;
  threads& operator=(const threads&) = delete;

  void open(failover::event_sink sink);
  void close();
  void carry_out(const failover::pg_order& order);

  guard_link& guard() { return guard_; }
  condition now() const {
    const std::scoped_lock lock{mutex_};
    auto c = now_;
    if (c.trouble.empty())
      c.trouble = tend_trouble_;
    return c;
  }

private:
  struct waiting {
    failover::pg_order order;
    bool given_up = false; ///< for a stop that came before it was begun
  };
  struct tending {
    bool in_recovery = true;
    std::vector<std::string> slots;
  };

  void work(const std::stop_token& stop);
  void carry_out_next(std::unique_lock<std::mutex>& lock);
  void tend(const tending& what, std::unique_lock<std::mutex>& lock);
  void watch(const std::stop_token& stop);
  void look(const std::stop_token& stop);
  void look_soon();
  void answer(std::uint64_t operation, const outcome<>& result);
  void note(const outcome<std::optional<sight>>& seen);

  const failover::member_settings s_;
  failover::event_sink sink_;
  guard_link guard_;
  operations operations_; ///< the worker's
  looker looker_;         ///< the watcher's

  mutable std::mutex mutex_;
  std::condition_variable_any orders_come_;
  std::deque<waiting> orders_;
  std::stop_source under_way_; ///< of the order that is carried out
  std::uint64_t over_ = 0;     ///< the newest that is
  std::optional<tending> to_tend_;
  std::optional<bool> tended_in_recovery_;
  std::chrono::steady_clock::time_point tended_at_{};
  std::string tend_trouble_;
  condition now_;

  std::condition_variable_any look_now_;
  bool soon_ = false;

  std::jthread worker_, watcher_;
};

void member::threads::open(failover::event_sink sink) {
  sink_ = std::move(sink);
  guard_.open([this](const failover::ev::guard& is) { sink_(is); }, [this] { look_soon(); });
  worker_ = std::jthread{[this](const std::stop_token& stop) { work(stop); }};
  watcher_ = std::jthread{[this](const std::stop_token& stop) { watch(stop); }};
}

void member::threads::close() {
  worker_.request_stop();
  watcher_.request_stop();
  {
    const std::scoped_lock lock{mutex_};
    under_way_.request_stop();
  }
  for (auto* each : {&worker_, &watcher_})
    if (each->joinable())
      each->join();
  guard_.close();
}

void member::threads::carry_out(const failover::pg_order& order) {
  const std::scoped_lock lock{mutex_};
  if (is_stop(order)) {
    for (auto& each : orders_)
      each.given_up = true;
    under_way_.request_stop();
  }
  orders_.push_back({order});
  orders_come_.notify_all();
}

void member::threads::work(const std::stop_token& stop) {
  std::unique_lock lock{mutex_};
  while (!stop.stop_requested()) {
    orders_come_.wait(lock, stop, [&] { return !orders_.empty() || to_tend_; });
    if (stop.stop_requested())
      break;
    if (!orders_.empty())
      carry_out_next(lock);
    else if (const auto what = std::exchange(to_tend_, std::nullopt))
      tend(*what, lock);
  }
}

void member::threads::carry_out_next(std::unique_lock<std::mutex>& lock) {
  const auto next = std::move(orders_.front());
  orders_.pop_front();
  to_tend_.reset();
  under_way_ = std::stop_source{};
  const auto cancel = under_way_.get_token();
  lock.unlock();
  const auto result = next.given_up ? outcome<>{ec::canceled, "given up for a stop"}
                                    : operations_.carry_out(next.order, cancel);
  answer(number_of(next.order), result);
  lock.lock();
  // Before the next order, and not before the answer: the others learn of this primary by that.
  if (result && begins_to_write(next.order))
    tend({false, {}}, lock);
}

void member::threads::tend(const tending& what, std::unique_lock<std::mutex>& lock) {
  under_way_ = std::stop_source{};
  if (std::any_of(orders_.begin(), orders_.end(), [](const auto& o) { return is_stop(o.order); }))
    return;
  const auto cancel = under_way_.get_token();
  lock.unlock();
  const auto done = operations_.tend(what.in_recovery, what.slots, cancel);
  lock.lock();
  tended_at_ = std::chrono::steady_clock::now();
  tended_in_recovery_ = what.in_recovery;
  tend_trouble_ = done || done.error().code == ec::canceled ? std::string{} : done.error().message;
}

void member::threads::answer(std::uint64_t operation, const outcome<>& result) {
  if (operation == 0)
    return;
  {
    const std::scoped_lock lock{mutex_};
    over_ = std::max(over_, operation);
  }
  sink_(failover::ev::operation_done{operation, result.ok(),
                                     result ? std::string{} : result.error().message});
  look_soon();
}

void member::threads::look_soon() {
  const std::scoped_lock lock{mutex_};
  soon_ = true;
  look_now_.notify_all();
}

void member::threads::watch(const std::stop_token& stop) {
  const auto pace = std::min<failover::duration>(s_.periods.renew / 2, slowest_pace);
  while (!stop.stop_requested()) {
    look(stop);
    std::unique_lock lock{mutex_};
    look_now_.wait_for(lock, stop, pace, [&] { return soon_; });
    soon_ = false;
  }
}

void member::threads::look(const std::stop_token& stop) {
  std::uint64_t over = 0;
  {
    const std::scoped_lock lock{mutex_};
    over = over_;
  }
  if (operations_.copying())
    return;
  auto seen = looker_.look(guard_.last(), within(look_limit, stop));
  if (stop.stop_requested() || operations_.copying())
    return;
  note(seen);
  if (!seen || !*seen)
    return;
  (*seen)->is.after = over;
  sink_(failover::ev::observed{std::move((*seen)->is)});
}

void member::threads::note(const outcome<std::optional<sight>>& seen) {
  const std::scoped_lock lock{mutex_};
  now_.trouble = seen ? std::string{} : seen.error().message;
  if (!seen || !*seen || !(*seen)->said)
    return;
  const auto& said = *(*seen)->said;
  now_.pending_restart = said.pending_restart;
  if (tended_in_recovery_ == said.in_recovery
      && std::chrono::steady_clock::now() - tended_at_ < tend_pace)
    return;
  to_tend_ = tending{said.in_recovery, said.slots};
  orders_come_.notify_all();
}

member::member(failover::member_settings settings)
  : threads_(std::make_unique<threads>(std::move(settings))) {}
member::~member() = default;

void member::open(failover::event_sink sink) {
  threads_->open(std::move(sink));
}

void member::close() {
  threads_->close();
}

void member::carry_out(const failover::pg_order& what) {
  threads_->carry_out(what);
}

void member::arm(const failover::fx::arm_guard& what) {
  threads_->guard().arm(what);
}

void member::disarm(std::function<void(bool)> done) {
  threads_->guard().disarm(std::move(done));
}

condition member::now() const {
  return threads_->now();
}

std::string member::trouble() const {
  const auto is = now();
  std::string text = is.trouble;
  for (const auto& each : is.pending_restart)
    text += (&each == &is.pending_restart.front() ? (text.empty() ? "" : "; ") : ", ")
            + ("'" + each + "'");
  if (!is.pending_restart.empty())
    text += " wait for a restart of PostgreSQL";
  return text;
}

} // namespace harmony::postgres

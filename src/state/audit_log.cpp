#include "state/audit_log.hpp"

#include <algorithm>
#include <condition_variable>
#include <ctime>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <pthread.h>

#include "state/audit_file.hpp"

namespace harmony {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t most_in_a_write = 256;
constexpr std::size_t longest_result = 1000;
constexpr std::chrono::seconds grace{1};

} // namespace

/// What the callers and the thread share.
class audit_log::writer : public std::enable_shared_from_this<writer> {
public:
  writer(const std::string& path, audit_surroundings around, const audit_limits& limits)
    : file_(path, limits), around_(std::move(around)), limits_(limits) {}

  void note(audit_event e) {
    const std::lock_guard lock{mutex_};
    if (queue_.size() < limits_.most_waiting) {
      push(std::move(e), nullptr);
      return;
    }
    ++untold_;
    ++health_.lost;
  }

  outcome<void> append(audit_event e) {
    std::unique_lock lock{mutex_};
    if (queue_.size() >= limits_.most_waiting)
      return health_.writing ? failure{ec::timed_out, "too many events wait for the audit log"}
                             : health_.writing.error();
    waiter mine;
    push(std::move(e), &mine);
    if (!running_) {
      queue_.pop_back();
      return {ec::io_error, "no thread is left to write the audit log"};
    }
    retry_at_ = {}; // somebody waits
    changed_.notify_all();
    changed_.wait(lock, [&] { return mine.result.has_value(); });
    return *mine.result;
  }

  void watch(std::function<void(const audit_health&)> sink) {
    const std::lock_guard lock{mutex_};
    sink_ = std::move(sink);
  }

  void stop() {
    std::unique_lock lock{mutex_};
    sink_ = nullptr;
    stopping_ = true;
    changed_.notify_all();
    changed_.wait_for(lock, grace, [&] { return !running_; });
  }

private:
  /// Of one who waits for the end of its event.
  struct waiter {
    std::optional<outcome<void>> result;
  };
  struct entry {
    audit_record record;
    waiter* waits; ///< null: nobody
  };

  /// Needs the lock.
  void push(audit_event e, waiter* waits) {
    e.result.resize(std::min(e.result.size(), longest_result));
    audit_record r;
    r.what = std::move(e);
    queue_.push_back({stamped(std::move(r)), waits});
    changed_.notify_all();
    if (std::exchange(running_, true))
      return;
    try {
      std::thread([self = shared_from_this()] { self->run(); }).detach();
    } catch (const std::system_error&) {
      running_ = false; // no more threads for this process: the next event tries again
    }
  }

  [[nodiscard]] audit_record stamped(audit_record r) const {
    r.time = around_.wall_clock();
    r.uptime = around_.uptime();
    return r;
  }

  void run() {
    pthread_setname_np(pthread_self(), "audit");
    std::unique_lock lock{mutex_};
    for (;;) {
      changed_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
      if (!stopping_ && clock::now() < retry_at_) {
        changed_.wait_until(lock, retry_at_);
        continue;
      }
      if (queue_.empty() || (stopping_ && !health_.writing))
        break;
      write_batch(lock);
    }
    for (auto& each : queue_)
      if (each.waits != nullptr)
        each.waits->result = failure{ec::canceled, "the agent is stopping"};
    queue_.clear();
    running_ = false;
    changed_.notify_all();
  }

  /// Writes what waits. Lets go of the lock meanwhile.
  void write_batch(std::unique_lock<std::mutex>& lock) {
    std::vector<entry> batch;
    while (!queue_.empty() && batch.size() < most_in_a_write) {
      batch.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    const auto gap = untold_;
    lock.unlock();
    auto written = file_.append(records_of(batch, gap), own_record({}));
    if (written)
      for (const auto& line : *written)
        around_.echo(line);
    lock.lock();
    settle(batch, written ? outcome<void>{} : outcome<void>{written.error()}, gap);
    tell(lock);
  }

  [[nodiscard]] audit_record own_record(std::string event) const {
    audit_record own;
    own.what.event = std::move(event);
    own.what.via = "agent";
    return stamped(std::move(own));
  }

  [[nodiscard]] std::vector<audit_record> records_of(const std::vector<entry>& batch,
                                                     std::uint64_t gap) const {
    std::vector<audit_record> records;
    records.reserve(batch.size() + 1);
    for (const auto& each : batch)
      records.push_back(each.record);
    if (gap > 0) { // what waits came before what there was no room for
      records.push_back(own_record("audit-gap"));
      records.back().lost = gap;
    }
    return records;
  }

  /// Needs the lock.
  void settle(std::vector<entry>& batch, const outcome<void>& result, std::uint64_t gap) {
    std::reverse(batch.begin(), batch.end()); // back to the front, in their order
    for (auto& each : batch)
      if (each.waits != nullptr)
        each.waits->result = result;
      else if (!result)
        queue_.push_front(std::move(each));
    changed_.notify_all();
    health_.writing = result;
    health_.waiting = queue_.size();
    if (result) {
      untold_ -= gap;
      pause_ = limits_.first_retry;
      return;
    }
    retry_at_ = clock::now() + pause_;
    pause_ = std::min(pause_ * 2, limits_.longest_retry);
  }

  /// Tells the sink what is new. Lets go of the lock meanwhile.
  void tell(std::unique_lock<std::mutex>& lock) {
    const auto code = [](const audit_health& h) {
      return h.writing ? std::optional<ec>{} : h.writing.error().code;
    };
    if (!sink_ || (code(health_) == code(told_) && health_.lost == told_.lost))
      return;
    told_ = health_;
    const auto sink = sink_;
    const auto now = health_;
    lock.unlock();
    sink(now);
    lock.lock();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  audit_chain_file file_; ///< of the thread alone
  const audit_surroundings around_;
  const audit_limits limits_;
  std::deque<entry> queue_;
  std::uint64_t untold_ = 0; ///< events that were lost and that no record tells of
  audit_health health_;
  audit_health told_;
  std::function<void(const audit_health&)> sink_;
  clock::time_point retry_at_{};
  std::chrono::milliseconds pause_ = limits_.first_retry;
  bool running_ = false;
  bool stopping_ = false;
};

audit_log::audit_log(const std::string& path, audit_surroundings around, audit_limits limits)
  : writer_(std::make_shared<writer>(path, std::move(around), limits)) {}

audit_log::~audit_log() {
  writer_->stop();
}

void audit_log::note(audit_event e) {
  writer_->note(std::move(e));
}

outcome<void> audit_log::append(const audit_event& e) {
  return writer_->append(e);
}

void audit_log::watch_health(const std::function<void(const audit_health&)>& sink) {
  writer_->watch(sink);
}

std::uint64_t uptime_now() {
  timespec t{};
  ::clock_gettime(CLOCK_BOOTTIME, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1000
         + static_cast<std::uint64_t>(t.tv_nsec) / 1'000'000;
}

} // namespace harmony

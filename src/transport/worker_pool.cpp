#include "transport/worker_pool.hpp"

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <pthread.h>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace harmony {

namespace {

constexpr auto linger = std::chrono::seconds{2};

} // namespace

struct worker_pool::core {
  std::mutex mutex;
  std::condition_variable work;
  std::condition_variable ended;
  std::deque<std::function<void()>> jobs;
  std::map<std::thread::id, std::thread> threads; // those that run
  std::vector<std::thread> leaving; // those that have nothing more to do, to be joined
  std::size_t idle = 0;
  std::size_t running = 0; // jobs
  bool closed = false;
  std::function<void()> at_exit;

  static void run(const std::shared_ptr<core>& self);
  void reap();
};

// A thread: one job after the other, until none comes.
void worker_pool::core::run(const std::shared_ptr<core>& self) {
  ::pthread_setname_np(::pthread_self(), "store-worker");
  std::unique_lock guard{self->mutex};
  for (;;) {
    ++self->idle;
    self->work.wait_for(guard, linger, [&] { return self->closed || !self->jobs.empty(); });
    --self->idle;
    if (self->jobs.empty())
      break;
    {
      auto job = std::move(self->jobs.front());
      self->jobs.pop_front();
      ++self->running;
      guard.unlock();
      job();
    } // the job and what it owns go before its thread counts as free
    guard.lock();
    --self->running;
  }
  guard.unlock();
  if (self->at_exit)
    self->at_exit();
  guard.lock();
  if (const auto me = self->threads.find(std::this_thread::get_id()); me != self->threads.end()) {
    self->leaving.push_back(std::move(me->second));
    self->threads.erase(me);
  }
  self->ended.notify_all();
}

// Joining waits for what libraries do when a thread ends, a moment.
void worker_pool::core::reap() {
  for (auto& thread : std::exchange(leaving, {}))
    thread.join();
}

worker_pool::worker_pool(std::function<void()> at_exit) : core_(std::make_shared<core>()) {
  core_->at_exit = std::move(at_exit);
}

worker_pool::~worker_pool() {
  close(std::chrono::milliseconds{0});
}

bool worker_pool::post(std::function<void()> job, std::size_t limit) {
  const std::lock_guard guard{core_->mutex};
  if (core_->closed || core_->running + core_->jobs.size() >= limit)
    return false;
  core_->jobs.push_back(std::move(job));
  if (core_->jobs.size() <= core_->idle) {
    core_->work.notify_one();
    return true;
  }
  core_->reap();
  try {
    // It waits for the mutex before it looks for itself.
    std::thread thread{[core = core_] { core::run(core); }};
    const auto id = thread.get_id();
    core_->threads.emplace(id, std::move(thread));
  } catch (const std::system_error&) {
    core_->jobs.pop_back();
    return false;
  }
  return true;
}

bool worker_pool::close(std::chrono::milliseconds patience) {
  std::unique_lock guard{core_->mutex};
  core_->closed = true;
  core_->work.notify_all();
  const auto me = std::this_thread::get_id(); // a job may hold the last of what owns the pool
  const bool all = core_->ended.wait_for(
    guard, patience, [&] { return core_->threads.size() == core_->threads.count(me); });
  core_->reap();
  for (auto& [id, thread] : std::exchange(core_->threads, {}))
    thread.detach(); // it ends when the library lets it
  return all;
}

} // namespace harmony

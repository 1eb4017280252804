#include "actors/executor.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>

#include <pthread.h>

namespace harmony {

namespace {

constexpr std::chrono::seconds idle_time{5};
constexpr std::chrono::seconds grace{1};

} // namespace

struct thread_executor::shared_state {
  std::mutex mutex;
  std::condition_variable work_came;
  std::condition_variable thread_left;
  std::deque<std::function<void()>> queue;
  std::size_t idle = 0;
  std::size_t threads = 0;
  bool stopping = false;
};

thread_executor::thread_executor() : state_(std::make_shared<shared_state>()) {}

thread_executor::~thread_executor() {
  std::unique_lock lock(state_->mutex);
  state_->stopping = true;
  state_->work_came.notify_all();
  state_->thread_left.wait_for(lock, grace, [&] { return state_->threads == 0; });
}

void thread_executor::post(std::function<void()> work) {
  std::unique_lock lock(state_->mutex);
  state_->queue.push_back(std::move(work));
  if (state_->idle >= state_->queue.size()) {
    state_->work_came.notify_one();
    return;
  }
  try {
    std::thread([state = state_] { run(state); }).detach();
    ++state_->threads;
  } catch (const std::system_error&) {
    // No more threads for this process (TasksMax, memory): a busy one comes to it, or the next post
    // tries again.
  }
}

void thread_executor::run(const std::shared_ptr<shared_state>& state) {
  pthread_setname_np(pthread_self(), "worker");
  std::unique_lock lock(state->mutex);
  const auto has_work = [&] { return !state->queue.empty() || state->stopping; };
  for (;;) {
    ++state->idle;
    state->work_came.wait_for(lock, idle_time, has_work);
    --state->idle;
    if (state->queue.empty())
      break;
    auto work = std::move(state->queue.front());
    state->queue.pop_front();
    lock.unlock();
    work();
    work = nullptr; // its captures go before the thread is idle again
    lock.lock();
  }
  --state->threads;
  state->thread_left.notify_all();
}

} // namespace harmony

#pragma once

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

#include "model/outcome.hpp"

namespace harmony {

/// Group commit. Callers that come while a commit is under way wait together, and one of them
/// commits for all: N threads share about one fsync instead of paying N.
///
///   submit -> queued -> (first one in, or the leader before is done) leads: takes the queue,
///             commits it as one, marks each done -> next leader
///
/// Order: jobs are committed, and their `done` run, in the order of submission.
template <class Job>
class commit_queue {
public:
  /// Commits all of `jobs` as one, or none of them. Called by one thread at a time.
  using commit_function = std::function<outcome<void>(const std::vector<const Job*>& jobs)>;

  explicit commit_queue(commit_function commit) : commit_(std::move(commit)) {}

  /// Commits `job` and returns what came of it. `admit` runs first and may refuse; it and `done`
  /// (with the outcome) run under the queue's lock, so that what they share needs no other.
  template <class Admit, class Done>
  outcome<void> submit(const Job& job, const Admit& admit, Done done) {
    std::unique_lock guard{mutex_};
    if (auto admitted = admit(); !admitted)
      return admitted;
    entry mine{&job, std::move(done), {}, false};
    waiting_.push_back(&mine);
    changed_.wait(guard, [&] { return mine.finished || !leading_; });
    if (!mine.finished)
      lead(guard);
    return mine.result;
  }

  /// Runs `read` with the queue's lock held.
  template <class Read>
  auto locked(const Read& read) const {
    const std::lock_guard guard{mutex_};
    return read();
  }

private:
  struct entry {
    const Job* job;
    std::function<void(const outcome<void>&)> done;
    outcome<void> result;
    bool finished;
  };

  void lead(std::unique_lock<std::mutex>& guard) {
    leading_ = true;
    const auto batch = std::exchange(waiting_, {});
    guard.unlock();
    commit_batch(batch);
    guard.lock();
    for (auto* e : batch) {
      e->done(e->result);
      e->finished = true;
    }
    leading_ = false;
    changed_.notify_all();
  }

  void commit_batch(const std::vector<entry*>& batch) {
    std::vector<const Job*> jobs(batch.size());
    std::transform(batch.begin(), batch.end(), jobs.begin(), [](const entry* e) { return e->job; });
    auto all = commit_(jobs);
    for (auto* e : batch)
      // One job that cannot be written (too big for the disk) must not fail its neighbours.
      e->result = all || batch.size() == 1 ? all : commit_({e->job});
  }

  commit_function commit_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<entry*> waiting_;
  bool leading_ = false;
};

} // namespace harmony

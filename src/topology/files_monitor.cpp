#include "topology/files_monitor.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "topology/files_watches.hpp"

namespace harmony {

namespace {

std::string nanoseconds(const ::timespec& t) {
  return std::to_string(t.tv_sec) + "." + std::to_string(t.tv_nsec);
}

std::string fingerprint_of(const std::string& path) {
  struct ::stat s {};
  if (::lstat(path.c_str(), &s) != 0)
    return {};
  std::string text;
  for (const auto part :
       {std::uint64_t{s.st_dev}, std::uint64_t{s.st_ino}, static_cast<std::uint64_t>(s.st_size),
        std::uint64_t{s.st_mode}, std::uint64_t{s.st_uid}, std::uint64_t{s.st_gid}})
    text += std::to_string(part) + " ";
  return text + nanoseconds(s.st_mtim) + " " + nanoseconds(s.st_ctim);
}

/// One relist, which a dead mount may hold up for ever; so it runs on a thread of its own, and who
/// waits for it may go before it ends.
struct listing {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<std::vector<runtime_fact>> facts;
};

void list(const std::shared_ptr<listing>& result, const std::vector<std::string>& targets) {
  std::vector<runtime_fact> facts;
  facts.reserve(targets.size());
  for (const auto& t : targets)
    facts.push_back({t, fingerprint_of(t)});
  const std::lock_guard guard{result->mutex};
  result->facts = std::move(facts);
  result->changed.notify_all();
}

} // namespace

class inotify_files_monitor::implementation {
public:
  implementation() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  void start(on_hint sink) {
    const std::lock_guard guard{mutex_};
    if (thread_.joinable() || stopping_)
      return;
    sink_ = std::move(sink);
    thread_ = std::thread{[this] { run(); }};
  }

  void stop() {
    {
      const std::lock_guard guard{mutex_};
      stopping_ = true;
    }
    wake();
    if (thread_.joinable())
      thread_.join();
  }

  void watch(std::vector<std::string> targets) {
    {
      const std::lock_guard guard{mutex_};
      if (targets == targets_)
        return;
      targets_ = std::move(targets);
      changed_ = true;
    }
    wake();
  }

  outcome<std::vector<runtime_fact>> relist(std::chrono::milliseconds timeout) {
    std::shared_ptr<listing> result;
    {
      const std::lock_guard guard{mutex_};
      if (hung_ && !is_done(*hung_))
        return {ec::timed_out, "an earlier look at the managed files still hangs: a file system "
                               "does not answer"};
      result = hung_ = std::make_shared<listing>();
      std::thread{[result, targets = targets_] { list(result, targets); }}.detach();
      refresh_ = true;
    }
    wake();
    std::unique_lock waiting{result->mutex};
    if (!result->changed.wait_for(waiting, timeout, [&] { return result->facts.has_value(); }))
      return {ec::timed_out, "looking at the managed files took longer than "
                               + std::to_string(timeout.count())
                               + " ms: a file system does not answer"};
    return std::move(*result->facts);
  }

  bool streaming() const { return streaming_; }

private:
  static bool is_done(listing& l) {
    const std::lock_guard guard{l.mutex};
    return l.facts.has_value();
  }

  void wake() const {
    const std::uint64_t one = 1;
    (void)!::write(wake_.get(), &one, sizeof one); // full: it is awake already
  }

  struct orders {
    bool stop = false;
    bool refresh = false;
    std::optional<std::vector<std::string>> targets;
  };

  orders take_orders() {
    std::uint64_t count = 0;
    (void)!::read(wake_.get(), &count, sizeof count);
    const std::lock_guard guard{mutex_};
    orders o{stopping_, std::exchange(refresh_, false), {}};
    if (std::exchange(changed_, false))
      o.targets = targets_;
    return o;
  }

  void run() {
    file_watches watches;
    for (;;) {
      auto todo = take_orders();
      if (todo.stop)
        break;
      file_watches::hints found;
      if (todo.targets) {
        found = watches.set_targets(*todo.targets);
        // What happened between the caller's last look and now was not seen.
        found.lost = true;
      }
      if (todo.refresh)
        found.targets.merge(watches.refresh().targets);
      auto events = watches.read_events();
      found.targets.merge(events.targets);
      found.lost = found.lost || events.lost;
      streaming_ = watches.complete();
      tell(found);
      sleep_until_event(watches.fd());
    }
    streaming_ = false;
  }

  void tell(const file_watches::hints& found) const {
    if (found.lost) {
      sink_({});
      return;
    }
    for (const auto& t : found.targets)
      sink_(t);
  }

  void sleep_until_event(int inotify) const {
    std::array<pollfd, 2> both{{{wake_.get(), POLLIN, 0}, {inotify, POLLIN, 0}}};
    while (::poll(both.data(), both.size(), -1) < 0 && errno == EINTR) {
    }
  }

  const open_fd wake_;
  on_hint sink_;
  std::thread thread_;
  std::atomic<bool> streaming_{false};
  std::mutex mutex_;
  std::vector<std::string> targets_;
  bool changed_ = false;
  bool refresh_ = false;
  bool stopping_ = false;
  std::shared_ptr<listing> hung_; ///< the newest relist
};

inotify_files_monitor::inotify_files_monitor() : impl_(std::make_unique<implementation>()) {}

inotify_files_monitor::~inotify_files_monitor() {
  impl_->stop();
}

void inotify_files_monitor::start(on_hint sink) {
  impl_->start(std::move(sink));
}

void inotify_files_monitor::stop() {
  impl_->stop();
}

void inotify_files_monitor::watch(std::vector<std::string> targets) {
  impl_->watch(std::move(targets));
}

outcome<std::vector<runtime_fact>>
inotify_files_monitor::relist(std::chrono::milliseconds timeout) {
  return impl_->relist(timeout);
}

bool inotify_files_monitor::streaming() const {
  return impl_->streaming();
}

} // namespace harmony

#include "topology/files_monitor.hpp"

#include <array>
#include <atomic>
#include <cerrno>
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
#include "topology/timed_listing.hpp"

namespace harmony {

namespace {

std::string nanoseconds(const ::timespec& t) {
  return std::to_string(t.tv_sec) + "." + std::to_string(t.tv_nsec);
}

} // namespace

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

namespace {

timed_listing::facts list(const std::vector<std::string>& targets) {
  timed_listing::facts facts;
  facts.reserve(targets.size());
  for (const auto& t : targets)
    facts.push_back({t, fingerprint_of(t)});
  return facts;
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
    std::vector<std::string> targets;
    {
      const std::lock_guard guard{mutex_};
      targets = targets_;
      refresh_ = true;
    }
    wake();
    return listing_.run([targets = std::move(targets)] { return list(targets); }, timeout);
  }

  bool streaming() const { return streaming_; }

private:
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
  timed_listing listing_{"the managed files"};
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

#include "transport/directory_watcher.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <poll.h>
#include <pthread.h>
#include <set>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "transport/callback_gate.hpp"
#include "transport/directory_io.hpp"

namespace harmony::directory {

namespace fs = std::filesystem;

namespace {

// Of a folder with entries: what makes one readable or gone. Temporary files make no noise here.
constexpr std::uint32_t entry_events =
  IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
// Of the root and of ancestors that stand in for it: what may make a folder appear.
constexpr std::uint32_t folder_events =
  IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr int degraded_poll_ms = 2000;

struct watch_record {
  watch_record(std::string f, std::string k, store::on_change sink)
    : folder(std::move(f)), key(std::move(k)), gate(std::move(sink)) {}

  std::string folder;
  std::string key;
  callback_gate<store::on_change> gate;
  bool greeted = false; // got its first hint; only the thread touches it
};

class watch_subscription final : public subscription {
public:
  explicit watch_subscription(std::shared_ptr<watch_record> record) : record_(std::move(record)) {}
  watch_subscription(const watch_subscription&) = delete;
  watch_subscription& operator=(const watch_subscription&) = delete;
  ~watch_subscription() override { record_->gate.shut(); }

private:
  std::shared_ptr<watch_record> record_;
};

} // namespace

class watcher::core {
public:
  explicit core(fs::path root) : root_(std::move(root)) {}

  outcome<void> open();
  void add(const std::shared_ptr<watch_record>& record);
  void wake() const;
  void run();

  std::mutex mutex; // guards the three below
  std::vector<std::weak_ptr<watch_record>> records;
  std::thread thread;
  bool stopping = false;

private:
  using record_list = std::vector<std::shared_ptr<watch_record>>;

  bool next(record_list& live);
  void arm(const record_list& live);
  bool arm_root(std::set<int>& keep);
  int add_watch(const fs::path& path, std::uint32_t events);
  bool read_events(const record_list& live);
  bool handle(const inotify_event& event, const char* name, const record_list& live);
  static void hint(const record_list& live, const std::string& folder, const std::string& key);

  fs::path root_;
  open_fd inotify_;
  open_fd wake_;
  // Only the thread touches these.
  std::map<std::string, int> armed_; // folder name -> its watch
  std::set<int> watches_;            // every watch, those of ancestors too
  bool refused_ = false;             // the kernel would not watch something that may be there
};

outcome<void> watcher::core::open() {
  inotify_ = open_fd{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
  if (!inotify_)
    return from_errno(errno,
                      "watch '" + root_.string() + "' (is fs.inotify.max_user_instances reached?)");
  wake_ = open_fd{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  if (!wake_)
    return from_errno(errno, "watch '" + root_.string() + "'");
  return {};
}

void watcher::core::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

// The thread: sleeps until a file changed, a subscription came or went, or it is told to stop.
void watcher::core::run() {
  ::pthread_setname_np(::pthread_self(), "store-watch");
  record_list live;
  bool rearm = true;
  while (next(live)) {
    if (rearm)
      arm(live);
    for (const auto& record : live)
      if (!std::exchange(record->greeted, true))
        record->gate.call(std::string{});
    live.clear(); // a subscription that ends while this sleeps is forgotten at once

    std::array<pollfd, 2> ready{{{inotify_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
    const int count = ::poll(ready.data(), ready.size(), refused_ ? degraded_poll_ms : -1);
    std::uint64_t wakes = 0;
    const bool woken = ::read(wake_.get(), &wakes, sizeof wakes) > 0;
    if (!next(live))
      return;
    if (count == 0) // degraded: nobody would tell
      for (const auto& record : live)
        record->gate.call(std::string{});
    rearm = read_events(live) || woken || count == 0;
  }
}

// The subscriptions that live; false when it is time to stop.
bool watcher::core::next(record_list& live) {
  live.clear();
  const std::lock_guard guard{mutex};
  std::erase_if(records, [&](const auto& weak) {
    auto record = weak.lock();
    if (!record)
      return true;
    live.push_back(std::move(record));
    return false;
  });
  return !stopping;
}

// Watches what is there now, and tells the subscriptions of folders that are new.
void watcher::core::arm(const record_list& live) {
  refused_ = false;
  const auto before = std::exchange(armed_, {});
  std::set<int> keep;
  const bool rooted = arm_root(keep);
  for (const auto& record : live) {
    const auto [place, fresh] = armed_.try_emplace(record->folder, -1);
    if (fresh && rooted)
      place->second = add_watch(root_ / record->folder, entry_events);
    if (place->second >= 0)
      keep.insert(place->second);
  }
  for (const int old : watches_)
    if (keep.count(old) == 0)
      ::inotify_rm_watch(inotify_.get(), old);
  watches_ = std::move(keep);
  for (const auto& [folder, watch] : armed_) {
    const auto known = before.find(folder);
    if (watch >= 0 && (known == before.end() || known->second != watch))
      hint(live, folder, {});
  }
}

// Watches the root, or else its nearest ancestor that is there; true when the root itself.
bool watcher::core::arm_root(std::set<int>& keep) {
  constexpr int tries = 8;
  for (int i = 0; i < tries && !refused_; ++i) {
    auto at = root_;
    auto child = root_;
    int watch = add_watch(at, folder_events);
    while (watch < 0 && at != at.root_path()) {
      child = at;
      at = at.parent_path();
      watch = add_watch(at, folder_events);
    }
    if (watch >= 0)
      keep.insert(watch);
    if (at == root_)
      return true;
    // It may have appeared just before its parent was watched, and nothing would tell.
    std::error_code ignored;
    if (!fs::exists(child, ignored))
      return false;
  }
  refused_ = true; // there, but not a folder, or not for us
  return false;
}

int watcher::core::add_watch(const fs::path& path, std::uint32_t events) {
  const int watch = ::inotify_add_watch(inotify_.get(), path.c_str(), events);
  if (watch < 0 && errno != ENOENT && errno != ENOTDIR)
    refused_ = true;
  return watch;
}

// Passes on what happened; true when folders came or went.
bool watcher::core::read_events(const record_list& live) {
  alignas(inotify_event) std::array<char, 16384> buffer;
  bool rearm = false;
  for (;;) {
    const auto size = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (size <= 0)
      return rearm;
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* name = event.len > 0 ? buffer.data() + at + sizeof event : "";
      rearm |= handle(event, name, live);
      at += sizeof event + event.len;
    }
  }
}

bool watcher::core::handle(const inotify_event& event, const char* name, const record_list& live) {
  if ((event.mask & IN_Q_OVERFLOW) != 0) {
    for (const auto& record : live)
      record->gate.call(std::string{});
    return true;
  }
  if (watches_.count(event.wd) == 0)
    return false; // of a watch that was taken back
  const auto is_this = [&](const auto& armed) { return armed.second == event.wd; };
  const auto folder = std::find_if(armed_.begin(), armed_.end(), is_this);
  constexpr std::uint32_t gone = IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT;
  if (folder == armed_.end() || (event.mask & gone) != 0)
    return true;
  if (name[0] != '.')
    hint(live, folder->first, name);
  return false;
}

void watcher::core::hint(const record_list& live, const std::string& folder,
                         const std::string& key) {
  for (const auto& record : live)
    if (record->folder == folder && (key.empty() || record->key.empty() || record->key == key))
      record->gate.call(key);
}

watcher::watcher(fs::path root) : core_(std::make_shared<core>(std::move(root))) {}

watcher::~watcher() {
  stop();
}

outcome<std::unique_ptr<subscription>> watcher::watch(std::string folder, std::string key,
                                                      store::on_change sink) {
  auto record = std::make_shared<watch_record>(std::move(folder), std::move(key), std::move(sink));
  const std::lock_guard guard{core_->mutex};
  if (core_->stopping)
    return {ec::store_unavailable, "cannot watch: the store was closed"};
  if (!core_->thread.joinable()) {
    if (auto opened = core_->open(); !opened)
      return opened.error();
    core_->records.push_back(record);
    core_->thread = std::thread{[core = core_] { core->run(); }};
  } else {
    core_->records.push_back(record);
    core_->wake();
  }
  return std::unique_ptr<subscription>{std::make_unique<watch_subscription>(std::move(record))};
}

void watcher::stop() {
  std::thread ending;
  {
    const std::lock_guard guard{core_->mutex};
    core_->stopping = true;
    ending = std::move(core_->thread);
    if (!ending.joinable())
      return;
    core_->wake();
  }
  if (ending.get_id() == std::this_thread::get_id())
    ending.detach(); // a callback closes the store; the thread keeps its core until it left
  else
    ending.join();
}

} // namespace harmony::directory

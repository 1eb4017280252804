#include "topology/systemd_monitor.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <utility>

#include "topology/systemd_files.hpp"

namespace harmony {

namespace {

constexpr std::uint32_t folder_events = IN_CLOSE_WRITE | IN_ATTRIB | IN_CREATE | IN_DELETE
                                        | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF
                                        | IN_MOVE_SELF | IN_ONLYDIR;

// Empty: no such file.
std::string file_fingerprint(const std::filesystem::path& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0)
    return errno == ENOENT ? std::string{} : "errno " + std::to_string(errno);
  return std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino) + ":"
         + std::to_string(info.st_size) + ":" + std::to_string(info.st_mtim.tv_sec) + "."
         + std::to_string(info.st_mtim.tv_nsec);
}

} // namespace

systemd_monitor::systemd_monitor(systemd_port& manager, systemd_events& events)
  : manager_(manager),
    events_(events),
    wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
    folder_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {}

systemd_monitor::~systemd_monitor() {
  stop();
  for (const int fd : {wake_, folder_})
    if (fd >= 0)
      ::close(fd);
}

void systemd_monitor::start(on_hint sink) {
  watch_folder();
  thread_ = std::thread{[this, sink = std::move(sink)] { run(sink); }};
  events_.listen([this](const systemd_event& e) { note(e); });
}

void systemd_monitor::stop() {
  events_.listen({});
  relists_.request_stop();
  stopping_ = true;
  wake();
  if (thread_.joinable())
    thread_.join();
}

void systemd_monitor::watch(std::vector<std::string> targets) {
  std::sort(targets.begin(), targets.end());
  targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
  // A name that is none would make the manager refuse the whole list.
  std::erase_if(targets, [](const std::string& t) { return !is_unit_name(t); });
  events_.watch_units(targets);
  watch_folder();
  const std::lock_guard lock{mutex_};
  targets_ = std::move(targets);
}

outcome<std::vector<runtime_fact>> systemd_monitor::relist(std::chrono::milliseconds timeout) {
  watch_folder();
  std::vector<std::string> targets;
  {
    const std::lock_guard lock{mutex_};
    targets = targets_;
  }
  const wait_limit limit{relists_.get_token(), std::chrono::steady_clock::now() + timeout};
  auto rows = manager_.list(targets, limit);
  if (!rows)
    return rows.error();
  const auto links = enabling_links(manager_.unit_folder());
  std::vector<runtime_fact> facts;
  facts.reserve(targets.size());
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto& u = (*rows)[i];
    const auto file = file_fingerprint(manager_.unit_folder() / targets[i]);
    const auto enabled = links.find(targets[i]);
    std::string print;
    if (u.load != "not-found" || !file.empty())
      print = u.load + " " + u.active + " " + u.sub + " " + std::to_string(u.job) + " "
              + (enabled == links.end() ? std::string{} : enabled->second) + file;
    facts.push_back({targets[i], std::move(print)});
  }
  return facts;
}

bool systemd_monitor::streaming() const {
  return events_.listening() && folder_watched_;
}

void systemd_monitor::run(const on_hint& sink) {
  while (!stopping_) {
    std::array<pollfd, 2> fds{{{wake_, POLLIN, 0}, {folder_, POLLIN, 0}}};
    // Without an eventfd (EMFILE), look now and then.
    ::poll(fds.data(), fds.size(), wake_ < 0 ? 50 : -1);
    std::uint64_t ignored = 0;
    [[maybe_unused]] const auto n = ::read(wake_, &ignored, sizeof ignored);
    if (fds[1].revents != 0)
      read_folder_events();
    std::vector<std::string> hints;
    {
      const std::lock_guard lock{mutex_};
      hints.swap(hints_);
    }
    // One unit gives many signals at once: one hint is enough.
    std::sort(hints.begin(), hints.end());
    hints.erase(std::unique(hints.begin(), hints.end()), hints.end());
    for (auto& h : hints)
      if (!stopping_)
        sink(std::move(h));
  }
}

void systemd_monitor::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_, &one, sizeof one);
}

void systemd_monitor::note(const systemd_event& event) {
  {
    const std::lock_guard lock{mutex_};
    hints_.push_back(event.what == systemd_event::kind::unit ? event.unit : std::string{});
  }
  wake();
}

// The folder may not be there yet (a user's first unit), or go and come back.
void systemd_monitor::watch_folder() {
  folder_watched_ =
    ::inotify_add_watch(folder_, manager_.unit_folder().c_str(), folder_events) >= 0;
}

void systemd_monitor::read_folder_events() {
  alignas(inotify_event) std::array<char, 8192> buffer{};
  for (;;) {
    const auto n = ::read(folder_, buffer.data(), buffer.size());
    if (n <= 0)
      return;
    const std::lock_guard lock{mutex_};
    for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(n);) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at); // NOLINT
      at += sizeof(inotify_event) + event->len;
      if ((event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) != 0) {
        folder_watched_ = false;
        hints_.emplace_back();
      } else if ((event->mask & IN_Q_OVERFLOW) != 0) {
        hints_.emplace_back();
      } else if (event->len > 0) {
        std::string name{&event->name[0]};
        if (std::binary_search(targets_.begin(), targets_.end(), name))
          hints_.push_back(std::move(name));
      }
    }
  }
}

} // namespace harmony

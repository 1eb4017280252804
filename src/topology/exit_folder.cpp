#include "topology/exit_folder.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace harmony {

exit_folder::exit_folder(std::filesystem::path folder, on_exit sink)
  : folder_(std::move(folder)),
    sink_(std::move(sink)),
    inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
    wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  refresh();
  if (inotify_ && wake_)
    thread_ = std::thread{[this] { run(); }};
}

exit_folder::~exit_folder() {
  stopping_ = true;
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
  if (thread_.joinable())
    thread_.join();
}

void exit_folder::refresh() {
  // A file is written beside its name and moved there. The same folder again is no second watch.
  ::inotify_add_watch(inotify_.get(), folder_.c_str(), IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR);
}

void exit_folder::run() {
  std::array<pollfd, 2> both{{{wake_.get(), POLLIN, 0}, {inotify_.get(), POLLIN, 0}}};
  while (!stopping_) {
    while (::poll(both.data(), both.size(), -1) < 0 && errno == EINTR) {
    }
    read_events();
  }
}

void exit_folder::read_events() {
  alignas(inotify_event) std::array<char, 4096> buffer{};
  for (;;) {
    const auto n = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (n <= 0)
      return;
    for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(n);) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at); // NOLINT
      at += sizeof(inotify_event) + event->len;
      if (event->len > 0 && !stopping_)
        sink_(&event->name[0]);
    }
  }
}

std::filesystem::path exit_folder_of(const std::filesystem::path& socket) {
  const auto runtime = socket.parent_path().parent_path();
  return runtime == "/run" ? runtime / "libpod/exits" : runtime / "libpod/tmp/exits";
}

} // namespace harmony

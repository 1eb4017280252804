#pragma once

#include <mutex>
#include <utility>

namespace harmony {

/// Holds a callback and lets it be taken away: once `shut` returned, the callback does not run and
/// will not run again. A callback may shut its own gate.
template <class Callback>
class callback_gate {
public:
  explicit callback_gate(Callback callback) : callback_(std::move(callback)) {}

  template <class... Args>
  void call(const Args&... args) {
    const std::lock_guard guard{mutex_};
    if (open_)
      callback_(args...);
  }

  void shut() {
    const std::lock_guard guard{mutex_};
    open_ = false;
  }

  [[nodiscard]] bool open() {
    const std::lock_guard guard{mutex_};
    return open_;
  }

private:
  std::recursive_mutex mutex_; // recursive: see shut
  bool open_ = true;
  Callback callback_;
};

} // namespace harmony

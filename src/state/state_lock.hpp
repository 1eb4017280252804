#pragma once

#include <string>

#include "model/outcome.hpp"

namespace harmony {

/// Holds a state folder for this process: an exclusive flock(2) on `<folder>/lock`, which the
/// kernel gives back however the process ends. The file holds the pid of its holder, for messages
/// only.
class state_lock {
public:
  /// Takes the lock, without waiting. Fails with name_conflict when another process holds it, and
  /// with what errno says when the file cannot be made.
  static outcome<state_lock> take(const std::string& folder);

  state_lock() = default;
  state_lock(state_lock&& other) noexcept;
  state_lock& operator=(state_lock&& other) noexcept;
  state_lock(const state_lock&) = delete;
  state_lock& operator=(const state_lock&) = delete;
  ~state_lock();

private:
  explicit state_lock(int fd) : fd_(fd) {}

  int fd_ = -1;
};

} // namespace harmony

#pragma once

#include <chrono>
#include <thread>

namespace harmony::test {

/// Whether `done` holds within `limit`; looked at every few milliseconds, for things that send no
/// event to this process.
template <class Condition>
bool eventually(Condition done, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  return true;
}

} // namespace harmony::test

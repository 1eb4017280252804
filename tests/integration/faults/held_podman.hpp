#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/temp_dir.hpp"

namespace harmony::test {

/// podman's socket behind one of the test's own. One request to create a container waits there
/// until the test lets it go on, whatever became of who sent it.
class held_podman {
public:
  /// Throws std::runtime_error when there is no socket.
  held_podman();
  ~held_podman();
  held_podman(const held_podman&) = delete;
  held_podman& operator=(const held_podman&) = delete;

  [[nodiscard]] std::string socket() const { return (folder_ / "podman.sock").string(); }

  /// The next request to create is to wait; later ones are not.
  void hold();
  /// Waits, 20 s at most, until it does; false if none came.
  bool holds_one();
  /// Lets it go on.
  void release();

private:
  void accept_all();
  void serve(int client);
  void wait_if_held();
  bool ends();

  temp_dir folder_;
  int listener_ = -1;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool holding_ = false;
  bool holds_one_ = false;
  bool ending_ = false;
  std::vector<std::thread> threads_; ///< of accept_all alone, until it ended
  std::thread accepting_;
};

} // namespace harmony::test

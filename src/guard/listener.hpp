#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

#include "guard/message.hpp"
#include "model/outcome.hpp"
#include "posix/descriptor.hpp"

namespace harmony::guard {

/// The socket at which one agent at a time commands the guard: of root, or of the guard's own user.
class listener {
public:
  /// Makes the socket, mode 0600, in a folder that is there. Fails with name_conflict where another
  /// guard listens at that path.
  static outcome<listener> open(const std::string& path);
  listener(listener&&) = default;
  listener& operator=(listener&&) = default;
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;
  ~listener() = default;

  [[nodiscard]] int fd() const { return socket_.get(); }
  /// The agent's connection; -1: none.
  [[nodiscard]] int agent() const { return agent_.get(); }
  [[nodiscard]] pid_t agent_pid() const { return agent_pid_; }

  /// Takes who waits, if anybody; true if that is the agent now. Others are told why not, with what
  /// is in `now` besides. A dead agent's place is free.
  bool accept(report now);

  /// The next message of the agent. One that has gone is dropped: `gone()`.
  std::optional<std::string> receive();
  /// Whether the agent went since this was asked last.
  bool gone();
  /// Never waits: an agent that does not read hears nothing.
  void send(const report& r);

private:
  explicit listener(open_fd socket) : socket_(std::move(socket)) {}
  void drop();

  open_fd socket_, agent_;
  pid_t agent_pid_ = 0;
  bool gone_ = false;
};

} // namespace harmony::guard

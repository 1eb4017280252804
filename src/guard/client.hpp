#pragma once

#include <deque>
#include <optional>
#include <string>

#include "guard/message.hpp"
#include "model/outcome.hpp"
#include "posix/descriptor.hpp"

namespace harmony::guard {

/// An agent's connection to the guard. For one thread.
class client {
public:
  /// Connects and hears who is there. Fails with runtime_unavailable where there is no guard, with
  /// timed_out where one does not answer by `until`, with name_conflict where another agent
  /// commands it, and with permission_denied where this user may not, or where who listens is
  /// neither root nor this user.
  static outcome<client> connect(const std::string& path, boot_time until);

  /// Asks, and waits for the answer until then; a refusal is an answer. After timed_out it is not
  /// known whether it was done: connect again. Fails with runtime_unavailable where the guard went.
  outcome<report> call(const request& r, boot_time until);

  /// The next change that the guard told by itself, in order; nothing where none came by then.
  outcome<std::optional<report>> next(boot_time until);

  /// What the guard said when this connected.
  [[nodiscard]] const report& hello() const { return hello_; }
  /// Readable when something came.
  [[nodiscard]] int fd() const { return socket_.get(); }

private:
  explicit client(open_fd socket) : socket_(std::move(socket)) {}
  outcome<std::optional<report>> receive(boot_time until);

  open_fd socket_;
  report hello_;
  std::deque<report> changes_;
};

} // namespace harmony::guard

#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "transport/directory_io.hpp"
#include "transport/directory_watcher.hpp"
#include "transport/store.hpp"

/// Commands in a directory store: a request is a file that its agent takes away, an answer a file
/// that its caller does.
///
///     cmd/pi-0042.<number>       from the caller: a line with verb and deadline, and the payload
///     cmd/.pi-0042.serving       locked (flock) while an agent serves commands
///     answers/pi-0042.<number>   from the agent
///
/// Neither outlives a crash for long: a request that is past its deadline is dropped, and so is an
/// answer that nobody took for ten minutes.
namespace harmony::directory {

inline constexpr std::string_view command_folder = "cmd";
inline constexpr std::string_view answer_folder = "answers";

/// Gives `sink` each command for `agent`. Fails with name_conflict where another process serves it.
outcome<std::unique_ptr<subscription>> serve_commands(const std::filesystem::path& root,
                                                      watcher& events, std::string_view agent,
                                                      store::on_command sink);

/// A caller's end, for one request.
class command_call {
public:
  command_call(const std::filesystem::path& root, watcher& events, std::string_view agent);
  ~command_call();
  command_call(const command_call&) = delete;
  command_call& operator=(const command_call&) = delete;

  /// Sends the command and waits for the answer, at most until `until`.
  outcome<std::string> run(std::string_view verb, std::string_view payload,
                           std::chrono::steady_clock::time_point until);

  /// Ends `run` soon, from any thread.
  void cancel();

private:
  struct mailbox;

  const std::filesystem::path& root_;
  watcher& events_;
  const std::string agent_;
  const std::string name_; ///< of the request's file, and of the answer's
  open_fd commands_;
  std::shared_ptr<mailbox> mailbox_;
};

} // namespace harmony::directory

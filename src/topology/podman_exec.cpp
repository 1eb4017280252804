// Commands in a container. podman starts a command and does not end it: what is over its time is
// killed from here, by the number that podman gives of its process.

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "topology/container_process.hpp"
#include "topology/podman_calls.hpp"
#include "topology/podman_client.hpp"
#include "topology/podman_codec.hpp"

namespace harmony {

using namespace podman_calls;

namespace {

using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;
using ending = process_result::ending;

constexpr milliseconds grace{1000}; ///< for podman to answer after the end of the time
constexpr milliseconds longest_pause{100};

std::string session_path(const std::string& id, std::string_view rest) {
  return path_of("/exec/") + percent_encode(id) + std::string{rest};
}

/// Interrupted by `cancel`.
void pause(milliseconds time, const std::stop_token& cancel) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock{mutex};
  never.wait_for(lock, cancel, time, [] { return false; });
}

/// Of an attached command, as far as it is kept.
struct attached {
  bool begun = false;
  std::string frames;
};

http_request attach(const std::string& session, std::size_t keep, attached& into) {
  auto ask = post(session_path(session, "/start"));
  ask.json = R"({"Detach":false,"Tty":false})";
  ask.repeatable = false;
  ask.streamed = true;
  ask.opened = [&into] { into.begun = true; };
  const auto most = keep * 9; // each byte may come in a frame of its own, behind a head of 8
  ask.piece = [&into, most](std::string_view bytes) {
    into.frames += bytes.substr(0, most - std::min(most, into.frames.size()));
    return true;
  };
  return ask;
}

} // namespace

outcome<process_result> podman_client::exec(const std::string& name,
                                            const std::vector<std::string>& command,
                                            std::size_t keep, const call_limits& limits) {
  const auto doing = "cannot run a command in container " + quoted(name);
  auto ask = post(container_path(name, "/exec"));
  ask.json = podman::exec_body(command);
  ask.repeatable = false;
  const auto created = call(ask, limits);
  if (!created)
    return created.error();
  if (!good(*created))
    return podman::classify(doing, created->status, created->body);
  const auto id = podman::read_id(created->body);
  if (!id)
    return unreadable("a command in container " + quoted(name));

  attached output;
  const auto ran = call(attach(*id, keep, output), limits);
  if (ran && !good(*ran))
    return podman::classify(doing, ran->status, ran->body);
  const auto result = [&](ending how, int number) {
    return process_result{how, number, podman::read_frames(output.frames).substr(0, keep)};
  };
  const auto status =
    ran ? exit_status(*id, limits) : outcome<std::optional<int>>{failure{ran.error()}};
  if (status && *status)
    return result(ending::exited, **status);
  kill_exec(name, *id);
  if (limits.cancel.stop_requested())
    return result(ending::canceled, 0);
  const bool over = status || (!ran && output.begun && ran.error().code == ec::timed_out);
  return over ? result(ending::timed_out, 0) : outcome<process_result>{status.error()};
}

outcome<podman::exec_session> podman_client::session(const std::string& id,
                                                     const call_limits& limits) const {
  const auto answer = call(get(session_path(id, "/json")), limits);
  if (!answer)
    return answer.error();
  if (!good(*answer))
    return podman::classify("cannot look at command " + quoted(id), answer->status, answer->body);
  const auto seen = podman::read_exec(answer->body);
  if (!seen)
    return unreadable("command " + quoted(id));
  return *seen;
}

/// The output ended, which may be before the command does and before podman has noted its status.
/// Nothing: it runs on at the end of the time, or when it is canceled.
outcome<std::optional<int>> podman_client::exit_status(const std::string& id,
                                                       const call_limits& limits) const {
  // That podman is slow to tell is not the command's fault.
  const auto end = std::min(limits.deadline, clock::time_point::max() - grace);
  const call_limits look{limits.cancel, end + grace};
  for (milliseconds wait{2};; wait = std::min(wait * 2, longest_pause)) {
    const auto seen = session(id, look);
    if (!seen)
      return seen.error();
    if (!seen->running)
      return std::optional<int>{seen->exit_code};
    if (clock::now() >= limits.deadline)
      return std::optional<int>{};
    pause(wait, limits.cancel);
  }
}

void podman_client::kill_exec(const std::string& name, const std::string& id) {
  const call_limits limits{{}, clock::now() + grace};
  const auto running = session(id, limits);
  if (!running || !running->running)
    return;
  const auto container = inspect(name, limits);
  if (container && *container)
    kill_in_container(static_cast<pid_t>(running->pid), static_cast<pid_t>((*container)->pid));
}

} // namespace harmony

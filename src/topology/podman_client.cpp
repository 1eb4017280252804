#include "topology/podman_client.hpp"

#include "fault/fault.hpp"
#include "topology/check_limits.hpp"
#include "topology/podman_calls.hpp"
#include "topology/podman_codec.hpp"

namespace harmony {

using namespace podman_calls;

namespace {

/// Between looks at a log that nobody writes to.
constexpr std::chrono::seconds ended_log_pause{1};

void sleep_until(std::chrono::steady_clock::time_point end, const std::stop_token& cancel) {
  const check_limits limits{cancel, end};
  auto canceled = limits.canceled_fd();
  ::poll(&canceled, 1, limits.left());
}

} // namespace

std::string_view name_of(container_status s) noexcept {
  switch (s) {
  case container_status::created: return "created";
  case container_status::running: return "running";
  case container_status::paused: return "paused";
  case container_status::exited: return "exited";
  case container_status::broken: return "broken";
  }
  return "broken";
}

outcome<http_response> podman_client::call(const http_request& ask,
                                           const call_limits& limits) const {
  return http_call(socket_, ask, limits, "podman", remedy);
}

outcome<void> podman_client::act(const http_request& ask, const std::string& doing,
                                 const call_limits& limits) const {
  const auto answer = call(ask, limits);
  if (!answer)
    return answer.error();
  if (good(*answer) || answer->status == 304) // 304: already so
    return {};
  return podman::classify(doing, answer->status, answer->body);
}

outcome<void> podman_client::ping(const call_limits& limits) {
  const auto answer = call(get(path_of("/_ping")), limits);
  if (!answer)
    return answer.error();
  if (!good(*answer))
    return unreadable("a ping");
  return {};
}

outcome<std::optional<container_info>> podman_client::inspect(const std::string& name,
                                                              const call_limits& limits) {
  HARMONY_FAULT("podman.inspect");
  const auto answer = call(get(container_path(name, "/json")), limits);
  if (!answer)
    return answer.error();
  if (answer->status == 404)
    return std::optional<container_info>{};
  if (!good(*answer))
    return podman::classify("cannot inspect container " + quoted(name), answer->status,
                            answer->body);
  auto info = podman::read_inspect(answer->body);
  if (!info)
    return unreadable("container " + quoted(name));
  return info;
}

outcome<std::string> podman_client::create(const std::string& name, const container_spec& spec,
                                           const std::map<std::string, std::string>& labels,
                                           const call_limits& limits) {
  HARMONY_FAULT("podman.create.before");
  auto ask = post(path_of("/containers/create"));
  ask.json = podman::create_body(name, spec, labels);
  ask.repeatable = false;
  // Not to be interrupted once it is sent: podman would go on, and the container come into being
  // after whoever removes it has looked.
  if (limits.cancel.stop_requested())
    return {ec::canceled, "creating container " + quoted(name) + " was interrupted"};
  const auto answer = call(ask, {{}, limits.deadline});
  if (!answer)
    return answer.error();
  if (!good(*answer))
    return podman::classify("cannot create container " + quoted(name) + " from image "
                              + quoted(spec.image),
                            answer->status, answer->body);
  auto id = podman::read_id(answer->body);
  if (!id)
    return unreadable("the new container " + quoted(name));
  HARMONY_FAULT("podman.create.after");
  return std::move(*id);
}

outcome<void> podman_client::start(const std::string& id, const call_limits& limits) {
  HARMONY_FAULT("podman.start.before");
  auto done =
    act(post(container_path(id, "/start")), "cannot start container " + quoted(id), limits);
  HARMONY_FAULT("podman.start.after");
  return done;
}

outcome<void> podman_client::stop(const std::string& id, std::chrono::seconds grace,
                                  const call_limits& limits) {
  HARMONY_FAULT("podman.stop.before");
  const auto rest = "/stop?timeout=" + std::to_string(grace.count());
  auto done = act(post(container_path(id, rest)), "cannot stop container " + quoted(id), limits);
  HARMONY_FAULT("podman.stop.after");
  return done;
}

outcome<void> podman_client::resume(const std::string& id, const call_limits& limits) {
  return act(post(container_path(id, "/unpause")), "cannot unpause container " + quoted(id),
             limits);
}

outcome<void> podman_client::remove(const std::string& id, std::chrono::seconds grace,
                                    const call_limits& limits) {
  HARMONY_FAULT("podman.remove.before");
  auto ask = get(container_path(id, "?force=true&v=true&timeout=" + std::to_string(grace.count())));
  ask.method = "DELETE";
  auto done = act(ask, "cannot remove container " + quoted(id), limits);
  HARMONY_FAULT("podman.remove.after");
  if (!done && done.error().code == ec::not_found)
    return {};
  return done;
}

outcome<std::optional<std::string>> podman_client::image(const std::string& reference,
                                                         const call_limits& limits) {
  HARMONY_FAULT("podman.image");
  const auto target = path_of("/images/") + percent_encode(reference) + "/json";
  const auto answer = call(get(target), limits);
  if (!answer)
    return answer.error();
  if (answer->status == 404)
    return std::optional<std::string>{};
  if (!good(*answer))
    return podman::classify("cannot inspect image " + quoted(reference), answer->status,
                            answer->body);
  auto id = podman::read_id(answer->body);
  if (!id)
    return unreadable("image " + quoted(reference));
  return id->starts_with("sha256:") ? id : std::optional{"sha256:" + *id};
}

outcome<std::string> podman_client::pull(const std::string& reference, const call_limits& limits) {
  HARMONY_FAULT("podman.pull.before");
  auto ask = post(path_of("/images/pull?reference=") + percent_encode(reference));
  ask.streamed = true;
  const auto answer = call(ask, limits);
  if (!answer)
    return answer.error();
  if (!good(*answer))
    return {ec::image_pull_failed, "cannot pull image " + quoted(reference) + ": podman says '"
                                     + podman::read_error(answer->body) + "'; it is tried again"};
  HARMONY_FAULT("podman.pull.after");
  return podman::read_pull(reference, answer->body);
}

outcome<std::vector<container_info>> podman_client::list(const std::string& label,
                                                         const call_limits& limits) {
  HARMONY_FAULT("podman.list");
  const auto filters = R"({"label":[")" + label + R"("]})";
  const auto answer =
    call(get(path_of("/containers/json?all=true&filters=") + percent_encode(filters)), limits);
  if (!answer)
    return answer.error();
  if (!good(*answer))
    return podman::classify("cannot list containers", answer->status, answer->body);
  auto list = podman::read_list(answer->body);
  if (!list)
    return unreadable("the list of containers");
  return std::move(*list);
}

outcome<std::string> podman_client::last_words(const std::string& id, unsigned lines,
                                               std::size_t bytes, const call_limits& limits) {
  const auto rest = "/logs?stdout=true&stderr=true&tail=" + std::to_string(lines);
  const auto answer = call(get(container_path(id, rest)), limits);
  if (!answer)
    return answer.error();
  if (!good(*answer))
    return podman::classify("cannot read the log of container " + quoted(id), answer->status,
                            answer->body);
  return podman::read_logs(answer->body, bytes);
}

// Reads until the answer ends, or is as long as it may be; a followed one also once a line came.
outcome<void> podman_client::read_log(podman::log_reader& into, const std::string& id,
                                      std::uint32_t tail, bool follow,
                                      const call_limits& limits) const {
  auto rest = std::string{"/logs?stdout=true&stderr=true&timestamps=true"};
  rest += into.since().empty() ? "&tail=" + std::to_string(tail)
                               : "&since=" + percent_encode(into.since());
  if (follow)
    rest += "&follow=true";
  auto ask = get(container_path(id, rest));
  ask.streamed = true;
  bool enough = false;
  ask.piece = [&](std::string_view bytes) {
    enough = !into.take(bytes) || (follow && !into.empty());
    return !enough;
  };
  const auto answer = call(ask, limits);
  if (!answer)
    return enough ? outcome<void>{} : outcome<void>{answer.error()};
  if (!good(*answer))
    return podman::classify("cannot read the log of container " + quoted(id), answer->status,
                            answer->body);
  return {};
}

outcome<logs_result> podman_client::logs(const std::string& id, const log_query& query,
                                         const call_limits& limits) {
  podman::log_reader reader{query.cursor};
  if (auto done = read_log(reader, id, query.tail, false, limits); !done)
    return done.error();
  auto found = std::move(reader).result();
  if (!found.lines.empty() || query.wait.count() == 0)
    return found;
  podman::log_reader next{found.cursor};
  const auto until = std::min(limits.deadline, std::chrono::steady_clock::now() + query.wait);
  auto done = read_log(next, id, 0, true, {limits.cancel, until});
  if (!done && done.error().code != ec::timed_out)
    return done.error();
  found = std::move(next).result();
  // The log of a container that does not run ends at once, and is asked for again.
  if (done && found.lines.empty())
    sleep_until(std::min(until, std::chrono::steady_clock::now() + ended_log_pause), limits.cancel);
  return found;
}

outcome<void> podman_client::events(const std::string& label, const std::function<void()>& opened,
                                    const std::function<void(const container_event&)>& sink,
                                    const std::stop_token& cancel) {
  // The header comes before podman's own subscription; `since` closes that gap.
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(
    std::chrono::system_clock::now().time_since_epoch());
  const auto filters = R"({"type":["container"],"label":[")" + label + R"("]})";
  constexpr std::size_t longest_line = std::size_t{1} << 20;
  std::string line;
  auto ask = get(path_of("/events?stream=true&since=") + std::to_string(now.count())
                 + "&filters=" + percent_encode(filters));
  ask.streamed = true;
  ask.opened = opened;
  ask.piece = [&](std::string_view bytes) {
    for (auto end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
      line += bytes.substr(0, end);
      bytes.remove_prefix(end + 1);
      if (const auto event = podman::read_event(line))
        sink(*event);
      line.clear();
    }
    line += bytes;
    return line.size() <= longest_line;
  };
  const auto answer = call(ask, {cancel, std::chrono::steady_clock::time_point::max()});
  if (!answer)
    return answer.error();
  if (!good(*answer))
    return podman::classify("cannot watch containers", answer->status, answer->body);
  return {ec::runtime_unavailable, "podman ended its event stream; it is opened again"};
}

} // namespace harmony

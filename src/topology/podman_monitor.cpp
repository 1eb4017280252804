#include "topology/podman_monitor.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace harmony {

namespace {

// What changes a container's state. The others (exec, attach, health_status, cleanup, …) would cost
// a look and show nothing.
bool matters(const std::string& what) {
  static const std::set<std::string, std::less<>> events{"create", "start",   "restart", "died",
                                                         "pause",  "unpause", "remove",  "rename"};
  return events.contains(what);
}

std::string fingerprint(const container_info& info) {
  return info.id + ' ' + std::string{name_of(info.status)} + ' ' + std::to_string(info.pid) + ' '
         + info.started + ' ' + info.finished + ' ' + info.image_id;
}

} // namespace

podman_monitor::podman_monitor(container_runtime& runtime, const std::string& agent,
                               options settings)
  : runtime_(runtime), label_("io.harmony.agent=" + agent), settings_(std::move(settings)) {}

void podman_monitor::start(on_hint sink) {
  sink_ = std::move(sink);
  if (!settings_.exits.empty())
    exits_ = std::make_unique<exit_folder>(settings_.exits,
                                           [this](const std::string& id) { on_exit(id); });
  thread_ = std::thread{[this] { run(); }};
}

void podman_monitor::stop() {
  stop_.request_stop();
  if (thread_.joinable())
    thread_.join();
  std::unique_ptr<exit_folder> exits; // its thread may be about to lock
  {
    const std::lock_guard lock{mutex_};
    exits = std::move(exits_);
  }
}

void podman_monitor::watch(std::vector<std::string> targets) {
  {
    const std::lock_guard lock{mutex_};
    targets_ = {targets.begin(), targets.end()};
    if (targets_.empty())
      current_.request_stop();
  }
  changed_.notify_all();
}

bool podman_monitor::watched(const std::string& name) const {
  const std::lock_guard lock{mutex_};
  return targets_.contains(name);
}

// Ids of containers that are made between two relists.
void podman_monitor::note_id(const container_event& event) {
  const std::lock_guard lock{mutex_};
  if (event.what == "remove")
    names_.erase(event.id);
  else if (!event.id.empty())
    names_[event.id] = event.name;
}

void podman_monitor::on_exit(const std::string& id) {
  std::string name;
  {
    const std::lock_guard lock{mutex_};
    const auto it = names_.find(id);
    if (it == names_.end())
      return;
    name = it->second;
  }
  sink_(std::move(name));
}

outcome<std::vector<runtime_fact>> podman_monitor::relist(std::chrono::milliseconds timeout) {
  std::map<std::string, std::string> facts;
  {
    const std::lock_guard lock{mutex_};
    for (const auto& target : targets_)
      facts.emplace(target, std::string{});
  }
  const auto list =
    runtime_.list(label_, {stop_.get_token(), std::chrono::steady_clock::now() + timeout});
  if (!list)
    return list.error();
  std::map<std::string, std::string> names;
  for (const auto& info : *list)
    if (const auto at = facts.find(info.name); at != facts.end()) {
      at->second = fingerprint(info);
      names.emplace(info.id, info.name);
    } else if (info.status == container_status::created && info.started.empty()) {
      // A stray. After a boot podman may call so what ran before it: that was started once.
      facts.emplace(info.name, fingerprint(info));
    }
  {
    const std::lock_guard lock{mutex_};
    names_ = std::move(names);
    if (exits_)
      exits_->refresh();
    reachable_ = !streaming_;
  }
  changed_.notify_all();
  std::vector<runtime_fact> result;
  result.reserve(facts.size());
  for (auto& [target, print] : facts)
    result.push_back({target, std::move(print)});
  return result;
}

void podman_monitor::run() {
  const auto cancel = stop_.get_token();
  auto delay = settings_.first_retry;
  for (;;) {
    {
      std::unique_lock lock{mutex_};
      if (!changed_.wait(lock, cancel, [this] { return !targets_.empty(); }))
        return;
      reachable_ = false;
      current_ = std::stop_source{};
    }
    const auto begun = std::chrono::steady_clock::now();
    const auto end = stream_once();
    if (cancel.stop_requested())
      return;
    if (end == ending::let_go || std::chrono::steady_clock::now() - begun >= settings_.settled)
      delay = settings_.first_retry;
    if (end == ending::let_go)
      continue;
    if (end == ending::broke) // what happens from now on, relists must find
      sink_({});
    std::unique_lock lock{mutex_};
    // That podman answers is news only where it did not.
    changed_.wait_for(lock, cancel, delay,
                      [&] { return end == ending::unreachable && reachable_; });
    delay = std::min(delay * 2, settings_.longest_retry);
  }
}

podman_monitor::ending podman_monitor::stream_once() {
  auto ending_source = [this] {
    const std::lock_guard lock{mutex_};
    return current_;
  }();
  const std::stop_callback on_stop{stop_.get_token(), [&] { ending_source.request_stop(); }};
  bool was_up = false;
  const auto opened = [&] {
    was_up = true;
    streaming_ = true;
    sink_({});
  };
  const auto event = [this](const container_event& what) {
    if (!matters(what.what))
      return;
    if (!watched(what.name)) {
      if (what.what == "create") // perhaps a stray: the relist tells
        sink_({});
      return;
    }
    note_id(what);
    sink_(what.name);
  };
  // Why it broke matters to nobody: the relist reports a runtime that does not answer.
  const auto ended = runtime_.events(label_, opened, event, ending_source.get_token());
  streaming_ = false;
  if (!ended && ended.error().code == ec::canceled)
    return ending::let_go;
  return was_up ? ending::broke : ending::unreachable;
}

} // namespace harmony

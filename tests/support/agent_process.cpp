#include "support/agent_process.hpp"

#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <stdexcept>

namespace harmony::test {

namespace {

using namespace std::chrono_literals;
constexpr auto call_limit = 5000ms;

store_options options_for(const std::string& url, const std::string& ca_file) {
  store_options to;
  to.url = url;
  to.ca_file = ca_file;
  return to;
}

} // namespace

agent_process::agent_process(std::string program, std::vector<std::string> flags,
                             const std::string& store_url, const std::string& ca_file)
  : agent_process(std::move(program), std::move(flags), options_for(store_url, ca_file)) {}

agent_process::agent_process(std::string program, std::vector<std::string> flags,
                             store_options to) {
  if (to.url.empty())
    to.url = "dir:" + (folder_ / "store").string();
  to.name = "test";
  auto store_url = to.url;
  link_ = open_store(to).value();
  outcome<void> prepared = link_->prepare(call_limit);
  for (int i = 0; !prepared && i < 500; ++i) { // a connection in the making
    std::mutex idle;
    std::unique_lock lock{idle};
    std::condition_variable{}.wait_for(lock, 10ms);
    prepared = link_->prepare(call_limit);
  }
  if (!prepared)
    throw std::runtime_error("cannot prepare '" + store_url + "': " + prepared.error().message);
  command_ = {std::move(program),
              "--agent-id",
              "pi-1",
              "--store",
              store_url,
              "--state-dir",
              (folder_ / "state").string(),
              "--heartbeat-interval",
              "100ms"};
  store_url_ = std::move(store_url);
  command_.insert(command_.end(), flags.begin(), flags.end());
}

agent_process::~agent_process() = default;

void agent_process::start(const std::map<std::string, std::string>& more) {
  auto variables = more;
  for (const char* name : {"PATH", "HOME", "LSAN_OPTIONS", "ASAN_OPTIONS", "UBSAN_OPTIONS"})
    if (const char* value = std::getenv(name))
      variables[name] = value;
  process_ = std::make_unique<process>(command_, "", variables);
}

std::string agent_process::ask_status() const {
  return process{{command_.front(), "status", "--state-dir", (folder_ / "state").string()}, "", {}}
    .wait()
    .err;
}

int agent_process::stop() {
  process_->signal(SIGTERM);
  return process_->wait().code;
}

void agent_process::reload() {
  process_->signal(SIGHUP);
}

void agent_process::kill() {
  process_->signal(SIGKILL);
  (void)process_->wait();
}

void agent_process::apply(const std::string& resources, const std::string& beside) {
  put_desired(R"({"apiVersion":"harmony/v1","kind":"AgentManifest","metadata":{"agent":"pi-1",)"
              R"("generation":)"
              + std::to_string(++generation_) + R"(},"spec":{)" + beside + R"("resources":[)"
              + resources + "]}}");
}

void agent_process::put_desired(const std::string& text) {
  const auto before = link_->get(bucket::desired_state, "pi-1", call_limit).value();
  const auto done =
    link_->put(bucket::desired_state, "pi-1", text, before ? before->revision : 0, call_limit);
  if (!done)
    throw std::runtime_error("cannot write the desired state: " + done.error().message);
}

agent_status agent_process::status() {
  const auto entry = link_->get(bucket::actual_state, "pi-1", call_limit);
  if (!entry || !*entry)
    return {};
  return read_status((*entry)->value).value();
}

agent_status agent_process::await(const std::function<bool(const agent_status&)>& holds) {
  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t changes = 0;
  const auto watch = link_->watch(bucket::actual_state, "pi-1", [&](const std::string&) {
    const std::lock_guard lock{mutex};
    ++changes;
    changed.notify_all();
  });
  const auto end = std::chrono::steady_clock::now() + patience_;
  for (;;) {
    std::uint64_t seen = 0;
    {
      const std::lock_guard lock{mutex};
      seen = changes;
    }
    auto now = status();
    if (holds(now))
      return now;
    std::unique_lock lock{mutex};
    if (!changed.wait_until(lock, end, [&] { return changes != seen; }))
      return now;
  }
}

bool agent_process::converged() {
  const auto wanted = [this](const agent_status& s) {
    return s.phase == agent_phase::converged && s.observed_generation == generation_;
  };
  return wanted(await(wanted));
}

namespace {

std::string standing_of(const agent_status& s, const std::string& id) {
  resource_id key;
  parse_resource_id(id, key);
  const auto it = s.resources.find(key);
  if (it == s.resources.end())
    return "absent";
  const auto& r = it->second;
  return std::string{name_of(r.phase)} + (r.reason.empty() ? "" : " " + r.reason);
}

} // namespace

std::string agent_process::standing(const std::string& id) {
  return standing_of(status(), id);
}

std::string agent_process::await_standing(const std::string& id, const std::string& text) {
  return standing_of(await([&](const agent_status& s) { return standing_of(s, id) == text; }), id);
}

bool agent_process::await_beats(int count) {
  std::mutex mutex;
  std::condition_variable came;
  int beats = 0;
  const auto watch = link_->watch_beats([&](const std::string& agent) {
    const std::lock_guard lock{mutex};
    if (!agent.empty()) // nothing: the watch is in place
      ++beats;
    came.notify_all();
  });
  std::unique_lock lock{mutex};
  return came.wait_for(lock, patience_, [&] { return beats >= count; });
}

} // namespace harmony::test

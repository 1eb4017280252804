#include "support/memory_store.hpp"

#include <algorithm>
#include <future>

namespace harmony::test {

void memory_store::fail_next(store_call which, const failure& why, std::size_t times) {
  const std::lock_guard lock{mutex_};
  for (std::size_t i = 0; i < times; ++i)
    at(which).failures.push_back(why);
}

void memory_store::lose_reply() {
  const std::lock_guard lock{mutex_};
  lose_reply_ = true;
}

void memory_store::before(store_call which, hook run) {
  const std::lock_guard lock{mutex_};
  at(which).before = std::move(run);
}

std::size_t memory_store::calls(store_call which) const {
  const std::lock_guard lock{mutex_};
  return per_call_[static_cast<std::size_t>(which)].count;
}

void memory_store::set_connected(bool connected, const std::string& detail) {
  std::vector<std::shared_ptr<watcher>> told;
  on_state state_sink;
  {
    const std::lock_guard lock{mutex_};
    if (closed_ || connected_ == connected)
      return;
    connected_ = connected;
    detail_ = detail;
    if (connected)
      told = live_watchers([](const watcher&) { return true; });
    state_sink = state_sink_;
  }
  if (state_sink)
    state_sink(connected, detail);
  for (const auto& w : told)
    w->tell({});
}

std::size_t memory_store::watchers() const {
  const std::lock_guard lock{mutex_};
  return live_watchers([](const watcher&) { return true; }).size();
}

std::uint64_t memory_store::force(bucket b, std::string_view key, std::string_view value) {
  std::uint64_t revision = 0;
  {
    const std::lock_guard lock{mutex_};
    revision = write(b, key, value);
  }
  notify(b, std::string{key});
  return revision;
}

outcome<void> memory_store::prepare(milliseconds /*timeout*/) {
  enter(store_call::prepare, bucket::desired_state, {});
  const std::lock_guard lock{mutex_};
  if (auto why = refusal(store_call::prepare, false))
    return *why;
  prepared_ = true;
  return {};
}

outcome<std::optional<store_entry>> memory_store::get(bucket b, std::string_view key,
                                                      milliseconds /*timeout*/) {
  enter(store_call::get, b, key);
  const std::lock_guard lock{mutex_};
  if (auto why = refusal(store_call::get, true))
    return *why;
  return newest(b, key);
}

outcome<std::uint64_t> memory_store::put(bucket b, std::string_view key, std::string_view value,
                                         std::uint64_t expected, milliseconds /*timeout*/) {
  enter(store_call::put, b, key);
  std::uint64_t revision = 0;
  bool lost = false;
  {
    const std::lock_guard lock{mutex_};
    if (auto why = refusal(store_call::put, true))
      return *why;
    const auto now = newest(b, key);
    if (unanswered_ && unanswered_->same(b, key, value, expected) && now
        && now->revision == unanswered_->revision) {
      unanswered_.reset();
      return now->revision;
    }
    if ((now ? now->revision : 0) != expected)
      return {ec::conflict, "put '" + std::string{key} + "' failed: expected revision "
                              + std::to_string(expected) + ", found "
                              + std::to_string(now ? now->revision : 0)};
    revision = write(b, key, value);
    lost = std::exchange(lose_reply_, false);
    if (lost)
      unanswered_ = write_record{b, std::string{key}, std::string{value}, expected, revision};
  }
  notify(b, std::string{key});
  if (lost)
    return {ec::timed_out, "put '" + std::string{key} + "' timed out: the reply was lost"};
  return revision;
}

outcome<void> memory_store::remove(bucket b, std::string_view key, std::uint64_t expected,
                                   milliseconds /*timeout*/) {
  enter(store_call::remove, b, key);
  {
    const std::lock_guard lock{mutex_};
    if (auto why = refusal(store_call::remove, true))
      return *why;
    const auto now = newest(b, key);
    if ((now ? now->revision : 0) != expected)
      return {ec::conflict, "remove '" + std::string{key} + "' failed: expected revision "
                              + std::to_string(expected) + ", found "
                              + std::to_string(now ? now->revision : 0)};
    if (!now)
      return {};
    ++sequence_; // a delete marker takes a revision, as in a real store
    entries_.erase({b, std::string{key}});
  }
  notify(b, std::string{key});
  return {};
}

outcome<std::vector<store_entry>> memory_store::history(bucket b, std::string_view key,
                                                        milliseconds /*timeout*/) {
  enter(store_call::get, b, key);
  const std::lock_guard lock{mutex_};
  if (auto why = refusal(store_call::get, true))
    return *why;
  auto all = former_[{b, std::string{key}}];
  std::reverse(all.begin(), all.end());
  all.resize(std::min(all.size(), history_length));
  return all;
}

outcome<std::vector<std::string>> memory_store::keys(bucket b, milliseconds /*timeout*/) {
  enter(store_call::keys, b, {});
  const std::lock_guard lock{mutex_};
  if (auto why = refusal(store_call::keys, true))
    return *why;
  std::vector<std::string> found;
  for (const auto& [where, entry] : entries_)
    if (where.first == b)
      found.push_back(where.second);
  return found;
}

outcome<std::unique_ptr<subscription>> memory_store::watch(bucket b, std::string_view key,
                                                           on_change sink) {
  enter(store_call::watch, b, key);
  const std::lock_guard lock{mutex_};
  if (auto why = refusal(store_call::watch, false))
    return *why;
  return subscribe({false, b, std::string{key}}, std::move(sink));
}

outcome<void> memory_store::beat(std::string_view agent, std::string_view payload) {
  enter(store_call::beat, bucket::actual_state, agent);
  std::vector<std::shared_ptr<watcher>> told;
  {
    const std::lock_guard lock{mutex_};
    if (auto why = refusal(store_call::beat, false))
      return *why;
    beats_[std::string{agent}] = {std::string{payload}, ++sequence_, now_()};
    told = live_watchers([](const watcher& w) { return w.what.beats; });
  }
  for (const auto& w : told)
    w->tell(std::string{agent});
  return {};
}

outcome<std::optional<store_entry>> memory_store::last_beat(std::string_view agent,
                                                            milliseconds /*timeout*/) {
  enter(store_call::last_beat, bucket::actual_state, agent);
  const std::lock_guard lock{mutex_};
  if (auto why = refusal(store_call::last_beat, false))
    return *why;
  const auto found = beats_.find(std::string{agent});
  if (found == beats_.end())
    return std::optional<store_entry>{};
  return std::optional{found->second};
}

outcome<std::unique_ptr<subscription>> memory_store::watch_beats(on_change sink) {
  enter(store_call::watch_beats, bucket::actual_state, {});
  const std::lock_guard lock{mutex_};
  if (auto why = refusal(store_call::watch_beats, false))
    return *why;
  return subscribe({true, bucket::actual_state, {}}, std::move(sink));
}

outcome<std::unique_ptr<subscription>> memory_store::serve(std::string_view agent,
                                                           on_command sink) {
  const std::lock_guard lock{mutex_};
  auto what = std::make_shared<command_sink>(std::move(sink));
  servers_[std::string{agent}] = what;
  return std::unique_ptr<subscription>{std::make_unique<serving_handle>(std::move(what))};
}

bool memory_store::send_command(std::string_view agent, std::string_view verb,
                                std::string_view payload,
                                std::function<void(std::string answer)> reply) {
  std::shared_ptr<command_sink> server;
  {
    const std::lock_guard lock{mutex_};
    const auto found = servers_.find(std::string{agent});
    server = found == servers_.end() ? nullptr : found->second.lock();
  }
  if (!server)
    return false;
  server->sink({std::string{verb}, std::string{payload},
                [reply = std::move(reply)](std::string_view answer) -> outcome<void> {
                  reply(std::string{answer});
                  return {};
                }});
  return true;
}

outcome<std::string> memory_store::request(std::string_view agent, std::string_view verb,
                                           std::string_view payload, milliseconds timeout) {
  enter(store_call::request, bucket::desired_state, agent);
  {
    const std::lock_guard lock{mutex_};
    if (auto why = refusal(store_call::request, false))
      return *why;
  }
  const auto answer = std::make_shared<std::promise<std::string>>();
  auto came = answer->get_future();
  if (!send_command(agent, verb, payload,
                    [answer](std::string text) { answer->set_value(std::move(text)); }))
    return {ec::agent_unreachable, "no agent '" + std::string{agent} + "' serves commands"};
  if (came.wait_for(timeout) != std::future_status::ready)
    return {ec::timed_out, "no answer"};
  return came.get();
}

void memory_store::watch_connection(on_state sink) {
  bool connected = false;
  std::string detail;
  {
    const std::lock_guard lock{mutex_};
    state_sink_ = sink;
    connected = connected_;
    detail = detail_;
  }
  if (sink)
    sink(connected, detail);
}

void memory_store::close() {
  const std::lock_guard lock{mutex_};
  closed_ = true;
  connected_ = false;
  state_sink_ = nullptr;
}

void memory_store::enter(store_call which, bucket b, std::string_view key) {
  hook run;
  {
    const std::lock_guard lock{mutex_};
    ++at(which).count;
    run = at(which).before;
  }
  if (run)
    run(b, key);
}

std::optional<failure> memory_store::refusal(store_call which, bool needs_bucket) {
  if (closed_)
    return failure{ec::store_unavailable, "the store is closed"};
  if (!at(which).failures.empty()) {
    auto why = at(which).failures.front();
    at(which).failures.pop_front();
    return why;
  }
  // A subscription outlives the connection, so it can be made without one.
  const bool subscribes = which == store_call::watch || which == store_call::watch_beats;
  if (!connected_ && !subscribes)
    return failure{ec::store_unavailable, "not connected: " + detail_};
  if (needs_bucket && !prepared_)
    return failure{ec::bucket_not_found, "the store was not prepared: run harmonyctl init"};
  return {};
}

std::optional<store_entry> memory_store::newest(bucket b, std::string_view key) const {
  const auto found = entries_.find({b, std::string{key}});
  if (found == entries_.end())
    return {};
  return found->second;
}

std::uint64_t memory_store::write(bucket b, std::string_view key, std::string_view value) {
  const auto revision = ++sequence_;
  entries_[{b, std::string{key}}] = {std::string{value}, revision, now_()};
  if (b == bucket::desired_state)
    former_[{b, std::string{key}}].push_back(entries_[{b, std::string{key}}]);
  return revision;
}

std::unique_ptr<subscription> memory_store::subscribe(target what, on_change sink) {
  auto w = std::make_shared<watcher>();
  w->what = std::move(what);
  w->sink = std::move(sink);
  std::erase_if(watchers_, [](const auto& old) { return old.expired(); });
  watchers_.push_back(w);
  return std::make_unique<handle>(std::move(w));
}

void memory_store::notify(bucket b, const std::string& key) {
  std::vector<std::shared_ptr<watcher>> told;
  {
    const std::lock_guard lock{mutex_};
    if (closed_ || !connected_)
      return;
    told = live_watchers([&](const watcher& w) {
      return !w.what.beats && w.what.in == b && (w.what.key.empty() || w.what.key == key);
    });
  }
  for (const auto& w : told)
    w->tell(key);
}

} // namespace harmony::test

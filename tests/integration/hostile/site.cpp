#include "site.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>

#include "support/catch.hpp"

namespace harmony::test {

namespace {

using std::chrono::steady_clock;

constexpr auto longest = std::chrono::seconds{60};

void write_line(const std::string& text) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing changes the environment
  if (const char* file = std::getenv("HARMONY_HOSTILE_REPORT"); file != nullptr && *file != '\0')
    std::ofstream{file, std::ios::app} << text << "\n";
}

} // namespace

operator_link::operator_link(const std::string& url, const std::string& ca_file) {
  store_options to;
  to.url = url;
  to.name = "operator";
  to.ca_file = ca_file;
  link_ = open_store(to).value();
  REQUIRE(states{*link_}.reaches(true));
  watch_ = link_->watch(bucket::actual_state, "pi-1", seen_.sink()).value();
}

agent_status operator_link::status() {
  const auto entry = link_->get(bucket::actual_state, "pi-1", ample);
  if (!entry || !*entry)
    return {};
  return read_status((*entry)->value).value();
}

milliseconds operator_link::until(instant_of_test from, const condition_on_status& holds) {
  const auto end = steady_clock::now() + longest;
  agent_status now;
  for (;;) {
    now = status();
    if (holds(now))
      return since(from);
    // A hint, or after a while without one a look all the same: the bucket may be new.
    if (steady_clock::now() >= end)
      break;
    (void)seen_.box().take_until([](const auto&) { return true; }, milliseconds{100});
  }
  INFO("the status is " << write_status(now));
  REQUIRE(false);
  return {};
}

void operator_link::put_desired(const std::string& text) {
  const auto end = steady_clock::now() + longest;
  for (;;) {
    const auto before = link_->get(bucket::desired_state, "pi-1", ample);
    REQUIRE(before);
    const auto put =
      link_->put(bucket::desired_state, "pi-1", text, *before ? (*before)->revision : 0, ample);
    if (put)
      return;
    INFO(put.error().message);
    // A replica that is behind may answer a read; docs/stores.md, versions.
    REQUIRE(put.error().code == ec::conflict);
    REQUIRE(steady_clock::now() < end);
  }
}

void operator_link::apply(generation_number generation, const std::string& file,
                          const std::string& content) {
  put_desired(R"({"apiVersion":"harmony/v1","kind":"AgentManifest","metadata":{"agent":"pi-1",)"
              R"("generation":)"
              + std::to_string(generation)
              + R"(},"spec":{"resources":[{"kind":"File","name":"a","spec":{"path":")" + file
              + R"(","content":")" + content + R"("}}]}})");
}

void operator_link::check_history() {
  const auto history = link_->history(bucket::actual_state, "pi-1", ample);
  REQUIRE(history);
  std::map<std::string, std::uint64_t> newest; // by run
  std::set<std::string> ended;
  std::string run;
  for (auto it = history->rbegin(); it != history->rend(); ++it) {
    const auto s = read_status(it->value).value();
    INFO("revision " << it->revision << ", boot id " << s.boot_id << ", sequence " << s.sequence);
    CHECK((newest.count(s.boot_id) == 0 || newest[s.boot_id] < s.sequence));
    newest[s.boot_id] = s.sequence;
    if (!run.empty() && run != s.boot_id)
      ended.insert(run);
    run = s.boot_id;
    CHECK(ended.count(run) == 0);
  }
}

beat_log::beat_log(store& link) {
  watch_ = link
             .watch_beats([this](const std::string& agent) {
               if (agent.empty())
                 return;
               const auto now = steady_clock::now();
               const std::lock_guard guard{mutex_};
               all_.push_back(now);
               came_.put(now);
             })
             .value();
}

milliseconds beat_log::longest_gap() {
  const std::lock_guard guard{mutex_};
  all_.push_back(steady_clock::now());
  steady_clock::duration gap{};
  for (std::size_t i = 1; i < all_.size(); ++i)
    gap = std::max(gap, all_[i] - all_[i - 1]);
  all_.erase(all_.begin(), all_.end() - 1);
  return std::chrono::duration_cast<milliseconds>(gap);
}

milliseconds beat_log::next(instant_of_test from) {
  REQUIRE(came_.take_until([&](auto at) { return at > from; }, longest));
  return since(from);
}

namespace {

std::vector<std::string> flags_for(const std::string& url, std::vector<std::string> more) {
  std::vector<std::string> flags{"--podman",
                                 "off",
                                 "--systemd",
                                 "off",
                                 "--heartbeat-interval",
                                 std::to_string(beat_period.count()) + "ms",
                                 "--store",
                                 url};
  flags.insert(flags.end(), more.begin(), more.end());
  return flags;
}

} // namespace

device::device(const std::string& operator_url, const std::string& agent_url,
               std::vector<std::string> flags, const std::string& ca_file)
  : agent(HARMONY_AGENT, flags_for(agent_url, std::move(flags)), operator_url, ca_file) {}

void report(const std::string& what, const std::string& did, milliseconds back) {
  write_line(what + "|" + did + "|" + std::to_string(back.count()));
}

void report(const std::string& what, const std::string& did) {
  write_line(what + "|" + did + "|");
}

condition_on_status converged_at(generation_number generation) {
  return [generation](const agent_status& s) {
    return s.phase == agent_phase::converged && s.observed_generation == generation;
  };
}

bool says(const agent_status& s, const std::string& type) {
  return std::any_of(s.conditions.begin(), s.conditions.end(), [&](const condition& c) {
    return c.type == type && c.status == condition_state::true_;
  });
}

std::string url_at(int port, const std::string& login, const std::string& scheme) {
  return scheme + "://" + (login.empty() ? "" : login + "@") + "127.0.0.1:" + std::to_string(port);
}

} // namespace harmony::test

#include "failover/load.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <sstream>

#include "failover/mailbox.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"

namespace harmony::test {

using namespace std::chrono_literals;
using failover::boottime_now;
using failover::duration;
using failover::instant;

namespace {

constexpr auto answer_limit = 1500ms;
/// Before one that refused is asked again.
constexpr auto pause = 10ms;

std::uint32_t timeline_of(const std::string& wal_file) {
  std::uint32_t timeline = 0;
  std::from_chars(wal_file.data(), wal_file.data() + std::min<std::size_t>(8, wal_file.size()),
                  timeline, 16);
  return timeline;
}

} // namespace

load::load(cluster_bed& bed) : bed_(bed) {
  auto* primary = bed_.primary();
  REQUIRE(primary != nullptr);
  // In the synchronous modes this waits until the first standby counts.
  REQUIRE(eventually(
    [&] {
      return primary->ask("CREATE TABLE IF NOT EXISTS writes (id bigint PRIMARY KEY, node text)")
        .has_value();
    },
    30s));
  // What an earlier load wrote is there.
  ids_ = std::stoull(primary->ask("SELECT coalesce(max(id), 0) FROM writes").value_or("0"));
  for (std::size_t i = 0; i < bed_.size(); ++i)
    clients_.emplace_back([this, i](const std::stop_token& stop) { write(bed_[i], stop); });
}

load::~load() {
  stop();
}

void load::stop() {
  for (auto& each : clients_)
    each.request_stop();
  for (auto& each : clients_)
    if (each.joinable())
      each.join();
}

void load::spare(const bed_member& m) {
  for (std::size_t i = 0; i < bed_.size(); ++i)
    if (&bed_[i] == &m)
      clients_[i] = {};
}

void load::write(const bed_member& to, const std::stop_token& stop) {
  pg_client client{to.conninfo()};
  while (!stop.stop_requested()) {
    acknowledged a;
    a.id = ++ids_;
    a.node = to.name();
    a.sent = boottime_now();
    const auto said =
      client.ask("INSERT INTO writes VALUES (" + std::to_string(a.id) + ", '" + a.node
                   + "') RETURNING pg_walfile_name(pg_current_wal_insert_lsn())",
                 answer_limit);
    a.at = boottime_now();
    if (!said.ok) {
      std::this_thread::sleep_for(pause);
      continue;
    }
    a.timeline = timeline_of(said.text);
    {
      const std::lock_guard guard{mutex_};
      answers_.push_back(a);
    }
    std::this_thread::sleep_for(1ms);
  }
}

std::vector<acknowledged> load::answers() const {
  std::vector<acknowledged> all;
  {
    const std::lock_guard guard{mutex_};
    all = answers_;
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  return all;
}

duration load::next_after(instant since, std::chrono::seconds limit) {
  std::optional<duration> took;
  const bool came = eventually(
    [&] {
      const std::lock_guard guard{mutex_};
      for (const auto& a : answers_)
        if (a.sent > since && (!took || a.at - since < *took))
          took = a.at - since;
      return took.has_value();
    },
    limit);
  INFO(bed_.story());
  REQUIRE(came);
  return *took;
}

std::string load::two_writable() const {
  std::ostringstream wrong;
  const auto all = answers();                 // in the order of their answers
  std::vector<std::uint32_t> newest_until{0}; // the newest timeline of the first so many
  for (const auto& a : all)
    newest_until.push_back(std::max(newest_until.back(), a.timeline));
  for (const auto& late : all) {
    const auto before = std::lower_bound(all.begin(), all.end(), late.sent,
                                         [](const acknowledged& a, instant t) { return a.at < t; });
    const auto newest = newest_until[static_cast<std::size_t>(before - all.begin())];
    if (late.timeline < newest)
      wrong << late.node << " acknowledged write " << late.id << " on timeline " << late.timeline
            << ", sent after one on " << newest << " was acknowledged\n";
  }
  std::map<std::uint32_t, std::set<std::string>> writers;
  for (const auto& a : all)
    writers[a.timeline].insert(a.node);
  for (const auto& [timeline, nodes] : writers)
    if (nodes.size() > 1)
      wrong << nodes.size() << " members wrote on timeline " << timeline << "\n";
  return wrong.str();
}

std::size_t load::failovers() const {
  std::set<std::uint32_t> timelines;
  for (const auto& a : answers())
    timelines.insert(a.timeline);
  return timelines.empty() ? 0 : timelines.size() - 1;
}

std::size_t load::lost() const {
  const auto all = answers(); // no later ones: clients may go on
  auto* primary = bed_.primary();
  REQUIRE(primary != nullptr);
  const auto there = primary->ask("SELECT string_agg(id::text, ',') FROM writes");
  REQUIRE(there);
  std::set<std::uint64_t> kept;
  std::istringstream in{*there};
  for (std::string each; std::getline(in, each, ',');)
    kept.insert(std::stoull(each));
  return static_cast<std::size_t>(
    std::count_if(all.begin(), all.end(), [&](const auto& a) { return kept.count(a.id) == 0; }));
}

duration load::longest_gap() const {
  duration longest{};
  const auto all = answers();
  for (std::size_t i = 1; i < all.size(); ++i)
    longest = std::max(longest, all[i].at - all[i - 1].at);
  return longest;
}

} // namespace harmony::test

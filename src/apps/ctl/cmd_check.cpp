// check: looks at the store and at one agent, and says what is wrong.
#include <set>

#include "apps/ctl/checkup.hpp"
#include "apps/ctl/commands.hpp"
#include "identity/login.hpp"

namespace harmony::ctl {

namespace {

using std::chrono::steady_clock;

/// Whether a write would be taken, without making one: no key has this revision.
outcome<void> try_write(store& to, bucket which, const budget& time) {
  constexpr std::uint64_t never = std::uint64_t{1} << 52;
  const auto refused = to.put(which, "harmonyctl-check", "{}", never, time.left());
  if (refused || refused.error().code == ec::conflict)
    return {};
  return refused.error();
}

bucket_sight look_at(store& from, bucket which, const budget& time) {
  bucket_sight seen;
  seen.which = which;
  auto keys = from.keys(which, time.left());
  seen.keys = keys ? outcome<std::size_t>{keys->size()} : outcome<std::size_t>{keys.error()};
  if (which == bucket::desired_state && keys)
    seen.write = try_write(from, which, time);
  return seen;
}

/// How many of `agents` have a heartbeat that is not old.
outcome<std::size_t> count_beating(const context& c, store& from,
                                   const std::vector<std::string>& agents) {
  std::size_t n = 0;
  for (const auto& each : agents) {
    const auto beat = from.last_beat(each, c.time.left());
    if (!beat)
      return beat.error();
    if (*beat && c.env.now() - (*beat)->written <= offline_after)
      ++n;
  }
  return n;
}

/// The next heartbeat of anybody has the store's time on it. Waits for one, for what is left of the
/// command's time but a fifth.
std::optional<milliseconds> clock_lead(const context& c, store& from) {
  struct inbox {
    std::mutex mutex;
    std::condition_variable came;
    std::string agent;
    std::chrono::system_clock::time_point at;
  };
  const auto box = std::make_shared<inbox>();
  const auto watch = from.watch_beats([box, now = c.env.now](const std::string& agent) {
    const std::lock_guard lock{box->mutex};
    if (!agent.empty() && box->agent.empty()) {
      box->agent = agent;
      box->at = now();
      box->came.notify_all();
    }
  });
  if (!watch)
    return std::nullopt;
  std::unique_lock lock{box->mutex};
  if (!box->came.wait_for(lock, c.time.left() * 4 / 5, [&] { return !box->agent.empty(); }))
    return std::nullopt;
  const auto beat = from.last_beat(box->agent, c.time.left());
  if (!beat || !*beat)
    return std::nullopt;
  return std::chrono::duration_cast<milliseconds>(box->at - (*beat)->written);
}

store_sight look_at_store(const context& c, store& from) {
  store_sight seen;
  seen.url = shown_url(c.global.store);
  const auto start = steady_clock::now();
  const auto first = from.get(bucket::desired_state, "harmonyctl-check", c.time.left());
  seen.round_trip = std::chrono::duration_cast<milliseconds>(steady_clock::now() - start);
  if (!first && first.error().code == ec::store_unavailable) {
    seen.unreachable = first.error();
    return seen;
  }
  for (const auto which : {bucket::desired_state, bucket::actual_state, bucket::device_info})
    seen.buckets.push_back(look_at(from, which, c.time));
  const auto agents = agent_ids(from, c.time);
  if (!agents)
    return seen; // the buckets say why
  seen.agents = agents->size();
  seen.beating = count_beating(c, from, *agents);
  if (seen.beating && *seen.beating > 0)
    seen.clock_lead = clock_lead(c, from);
  return seen;
}

/// Those that were given for the log-in at the store.
std::optional<outcome<jwt_head>> look_at_credentials(const global_options& g) {
  if (g.credentials.empty())
    return std::nullopt;
  const auto as = load_login({g.credentials, g.nkey});
  return as ? read_jwt(as->jwt) : outcome<jwt_head>{as.error()};
}

} // namespace

exit_code run(const context& c, const check_options& o) {
  const auto from = c.connected();
  store_sight seen;
  if (from)
    seen = look_at_store(c, **from);
  else
    seen.unreachable = from.error();
  seen.credentials = look_at_credentials(c.global);
  seen.now = std::chrono::floor<milliseconds>(c.env.now());
  auto all = judge(seen);
  if (!o.agent.empty() && !seen.unreachable) {
    // The wait for a heartbeat is not the agent's to pay for.
    const budget time{c.global.timeout};
    auto record = read_agent(**from, o.agent, time);
    if (!record) {
      all.push_back({verdict::fail, "agent", record.error().message, {}});
    } else {
      agent_sight agent{std::move(*record), ping_result{}};
      if (agent.record.known())
        agent.answer = ask<ping_result>(**from, o.agent, command_verb::ping, {}, time.left());
      for (auto& each : judge(agent, c.env.now()))
        all.push_back(std::move(each));
    }
  }
  if (c.as_table())
    c.print(printable(text_of(all), false));
  else
    c.print_value(json::parse(write_findings(all)));
  return worst(all) == verdict::fail ? exit_code::failure : exit_code::ok;
}

} // namespace harmony::ctl

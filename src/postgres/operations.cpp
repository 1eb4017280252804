// Orders that PostgreSQL itself carries out. copies.cpp has those that replace its data.

#include "postgres/operations.hpp"

#include <csignal>
#include <fstream>

#include "guard/words.hpp"
#include "postgres/conninfo.hpp"
#include "postgres/sync_names.hpp"
#include "postgres/tend.hpp"
#include "postgres/timelines.hpp"

namespace harmony::postgres {

using namespace std::chrono_literals;

namespace {

constexpr auto poll_pause = 40ms;
/// A server that recovers longer is waited for anew, with another upstream perhaps.
constexpr auto start_limit = 30s;
constexpr auto promote_limit = 60s;
constexpr auto stop_limit = 60s;
constexpr auto reload_limit = 10s;
constexpr auto tend_limit = 5s;
/// A walreceiver is told to end by the startup process, which may be busy replaying.
constexpr auto receiver_patience = 300ms;

/// The checkpointer, and whether it rests. PostgreSQL 13 does not tell how one rests that spreads
/// its writes.
constexpr const char* checkpointer =
  "SELECT pid, coalesce(wait_event, CASE WHEN current_setting('server_version_num')::int < 140000 "
  "THEN 'CheckpointWriteDelay' END) IN ('CheckpointerMain', 'CheckpointWriteDelay') "
  "FROM pg_stat_activity WHERE backend_type = 'checkpointer'";

constexpr const char* receiver_gone =
  "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'walreceiver')";

bool runs(const guard::report& r) {
  return r.now == guard::phase::standby || r.now == guard::phase::primary;
}

/// Whether that process waits for something; not one that is about to run, or is held.
bool sleeps(pid_t pid) {
  std::ifstream in{"/proc/" + std::to_string(pid) + "/stat"};
  std::string text;
  std::getline(in, text);
  const auto at = text.rfind(") "); // the name before it may hold anything
  return at != std::string::npos && text.compare(at + 2, 1, "S") == 0;
}

failure not_running() {
  return {ec::not_converged, "PostgreSQL does not run"};
}

/// The timeline in an answer to IDENTIFY_SYSTEM; 0: it has none.
std::uint32_t timeline_in(const rows& identified) {
  std::uint32_t timeline = 0;
  if (identified.empty() || identified.front().size() < 2
      || !guard::read_number(identified.front()[1].value_or(""), timeline))
    return 0;
  return timeline;
}

} // namespace

struct order_visitor {
  operations& o;
  const std::stop_token& cancel;

  outcome<> operator()(const failover::fx::start_standby& f) const {
    return o.start_standby(f.upstream, cancel);
  }
  outcome<> operator()(const failover::fx::start_primary&) const { return o.start_primary(cancel); }
  outcome<> operator()(const failover::fx::promote& f) const {
    return o.promote(f.timeline, cancel);
  }
  outcome<> operator()(const failover::fx::stop_fast&) const { return o.stop(cancel); }
  outcome<> operator()(const failover::fx::follow& f) const { return o.follow(f.upstream, cancel); }
  outcome<> operator()(const failover::fx::rewind& f) const { return o.rewind(f.source, cancel); }
  outcome<> operator()(const failover::fx::reclone& f) const { return o.reclone(f.source, cancel); }
  outcome<> operator()(const failover::fx::set_sync_names& f) const {
    return o.set_names(f.names, cancel);
  }
  outcome<> operator()(const failover::fx::checkpoint&) const { return o.checkpoint(cancel); }
};

outcome<> operations::carry_out(const failover::pg_order& order, const std::stop_token& cancel) {
  return std::visit(order_visitor{*this, cancel}, order);
}

standing operations::standing_of(const data_files& files) const {
  const auto text = files.read(conf_file);
  return text ? read_conf(*text, s_) : standing{};
}

outcome<> operations::start_standby(const std::string& upstream, const std::stop_token& cancel) {
  const auto limits = within(start_limit, cancel);
  const auto files = files_of(s_);
  if (!files)
    return files.error();
  const auto c = control_of(s_, *files, limits);
  if (!c)
    return c.error();
  least_ = c->least;
  if (auto done = install(*files, s_, {upstream, standing_of(*files).names}, c->least); !done)
    return done;
  refreshed_ = true;
  const auto now = guard_.last();
  const bool started = now && now->now == guard::phase::standby; // before, and recovers yet
  if (auto done =
        started ? send_signal(files->whose(), now->pid, SIGHUP) : launch(false, *files, limits);
      !done)
    return done;
  role_made_ = false;
  const auto answers = wait_for_answers(files->whose(), limits);
  return answers ? outcome<>{} : answers.error();
}

outcome<> operations::start_primary(const std::stop_token& cancel) {
  const auto limits = within(start_limit, cancel);
  const auto files = files_of(s_);
  if (!files)
    return files.error();
  if (auto done = install(*files, s_, {"", standing_of(*files).names}); !done)
    return done;
  const auto now = guard_.last();
  if (!now || now->now != guard::phase::primary)
    if (auto launched = launch(true, *files, limits); !launched)
      return launched;
  auto answers = wait_for_answers(files->whose(), limits);
  if (!answers)
    return answers.error();
  return wait_until(*answers, "SELECT NOT pg_is_in_recovery()", "it did not become writable",
                    limits);
}

outcome<> operations::launch(bool primary, const data_files& files, const check_limits& limits) {
  names_read_ = false;
  if (auto released = release_timelines(files); !released)
    return released;
  if (limits.canceled())
    return {ec::canceled, "given up"};
  const auto r = guard_.call(guard::start{primary}, limits);
  return r ? outcome<>{} : r.error();
}

outcome<> operations::promote(std::uint32_t timeline, const std::stop_token& cancel) {
  const auto limits = within(promote_limit, cancel);
  const auto files = files_of(s_);
  if (!files)
    return files.error();
  auto s = open_local(s_, files->whose(), limits);
  if (!s)
    return s.error();
  if (auto known = wait_for_names(*s, limits); !known)
    return known;
  const auto before = s->ask("IDENTIFY_SYSTEM", limits);
  if (!before)
    return before.error();
  const auto current = timeline_in(*before);
  if (current == 0)
    return {ec::internal, "PostgreSQL does not say which timeline it is on"};
  if (auto done = reserve_timelines(*files, current, timeline); !done)
    return done;
  const auto told = guard_.call(guard::promote{}, limits);
  if (!told) {
    if (told.error().code == ec::not_allowed) // else it may be under way
      (void)release_timelines(*files);
    return told.error();
  }
  if (auto done = wait_until(*s, "SELECT NOT pg_is_in_recovery()", "it was not promoted", limits);
      !done)
    return done;
  role_made_ = false;
  const auto after = s->ask("IDENTIFY_SYSTEM", limits);
  if (!after)
    return after.error();
  const auto begun = timeline_in(*after);
  if (begun != timeline)
    return {ec::not_converged, "PostgreSQL began timeline " + std::to_string(begun) + " and not "
                                 + std::to_string(timeline) + ", as it was to"};
  return {};
}

outcome<> operations::stop(const std::stop_token& cancel) {
  const auto limits = within(stop_limit, cancel);
  checkpointing_.reset();
  const auto told = guard_.call(guard::stop{}, limits);
  if (!told)
    return told.error();
  const auto stopped =
    guard_.wait([](const guard::report& r) { return r.now == guard::phase::stopped; }, limits);
  return stopped ? outcome<>{} : stopped.error();
}

outcome<> operations::follow(const std::string& upstream, const std::stop_token& cancel) {
  const auto limits = within(reload_limit, cancel);
  if (!upstream.empty() && find_member(s_, upstream) == nullptr)
    return {ec::not_found, "'" + upstream + "' is no member of the cluster"};
  const auto files = files_of(s_);
  if (!files)
    return files.error();
  auto s = reconfigure({upstream, standing_of(*files).names}, limits);
  if (!s)
    return s.error();
  const auto wanted = primary_conninfo(s_, upstream);
  if (auto done = wait_until(*s, "SELECT current_setting('primary_conninfo') = " + quoted(wanted),
                             "it does not read its configuration: its log says why", limits);
      !done)
    return done;
  std::string there = receiver_gone;
  if (const auto* whom = find_member(s_, upstream))
    there += " OR EXISTS (SELECT FROM pg_stat_wal_receiver WHERE sender_host = "
             + quoted(whom->host) + " AND sender_port = " + std::to_string(whom->port) + ")";
  if (auto soon = wait_until(*s, there, "its walreceiver does not end", limits, receiver_patience);
      soon || soon.error().code != ec::timed_out || limits.over())
    return soon;
  const auto pid =
    s->ask("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walreceiver'", limits);
  if (pid_t number = 0; pid && guard::read_number(first_field(*pid), number))
    (void)send_signal(files->whose(), number, SIGTERM);
  return wait_until(*s, there, "its walreceiver does not end", limits);
}

outcome<> operations::set_names(const failover::sync_names& names, const std::stop_token& cancel) {
  const auto limits = within(reload_limit, cancel);
  const auto files = files_of(s_);
  if (!files)
    return files.error();
  auto s = reconfigure({standing_of(*files).upstream, names}, limits);
  if (!s)
    return s.error();
  if (auto done = wait_until(*s,
                             "SELECT current_setting('synchronous_standby_names') = "
                               + quoted(write_sync_names(names)),
                             "it does not read its configuration: its log says why", limits);
      !done)
    return done;
  return wait_for_names(*s, limits);
}

/// A commit looks at a flag first that the checkpointer sets when it has read that there are names
/// (SyncRepUpdateSyncStandbysDefined), and a checkpointer that syncs files reads late. One that was
/// told, and sleeps where it reads before it sleeps, has read: twice, because it cannot be seen at
/// once that it sleeps and where.
outcome<> operations::wait_for_names(session& s, const check_limits& limits) {
  const auto names = s.ask("SELECT current_setting('synchronous_standby_names') <> ''", limits);
  if (!names)
    return names.error();
  if (names->at(0).at(0) != "t") {
    names_read_ = false;
    return {};
  }
  for (int rests = 0; !names_read_;) {
    const auto seen = s.ask(checkpointer, limits);
    if (!seen)
      return seen.error();
    const bool idle = !seen->empty() && seen->front().at(1) == "t"
                      && sleeps(std::stoi(seen->front().at(0).value_or("0")));
    rests = idle ? rests + 1 : 0;
    names_read_ = rests == 2;
    if (limits.over())
      return {ec::timed_out,
              "PostgreSQL's checkpointer is busy, and does not read synchronous_standby_names"};
    if (auto rested = rest(limits); !rested)
      return rested;
  }
  return {};
}

outcome<> operations::checkpoint(const std::stop_token& cancel) {
  const auto limits = within(tend_limit, cancel);
  const auto files = files_of(s_);
  if (!files)
    return files.error();
  auto s = open_local(s_, files->whose(), limits);
  if (!s)
    return s.error();
  if (auto longer = s->ask("SET statement_timeout = 0", limits); !longer)
    return longer.error();
  checkpointing_.emplace(std::move(*s));
  return checkpointing_->tell("CHECKPOINT");
}

outcome<> operations::tend(bool in_recovery, const std::vector<std::string>& slots,
                           const std::stop_token& cancel) {
  const auto orders = slot_orders(s_, in_recovery, slots);
  if (in_recovery)
    role_made_ = false;
  const bool role = !in_recovery && !role_made_;
  if (orders.empty() && !role && refreshed_)
    return {};
  const auto limits = within(tend_limit, cancel);
  const auto files = files_of(s_);
  if (!files)
    return files.error();
  if (auto done = refresh(*files, limits); !done)
    return done;
  auto s = open_local(s_, files->whose(), limits);
  if (!s)
    return s.error();
  outcome<> all;
  const auto ask_each = [&](const std::vector<std::string>& each) {
    for (const auto& order : each)
      if (auto done = s->ask(order, limits); !done && all)
        all = done.error();
  };
  // The role first, and each whatever became of those before: no standby streams without the role.
  if (role)
    ask_each(role_orders(s_, s_.replication_password.reveal().empty()
                               ? std::string{}
                               : s->verifier(s_.replication_user, s_.replication_password)));
  role_made_ = !in_recovery && all.ok();
  ask_each(orders);
  return all;
}

outcome<> operations::refresh(const data_files& files, const check_limits& limits) {
  if (refreshed_)
    return {};
  const auto text = files.read(conf_file);
  if (!text && text.error().code != ec::not_found)
    return text.error();
  if (text) // else the first order writes it
    if (auto done = reload(files, read_conf(*text, s_), limits); !done)
      return done;
  refreshed_ = true;
  return {};
}

outcome<> operations::reload(const data_files& files, const standing& now,
                             const check_limits& limits) {
  const auto is = guard_.last();
  const bool standby = is && is->now == guard::phase::standby;
  if (standby && !least_) {
    const auto c = control_of(s_, files, limits);
    if (!c)
      return c.error();
    least_ = c->least;
  }
  if (auto done = install(files, s_, now, standby ? *least_ : least_values{}); !done)
    return done;
  if (!is || !runs(*is))
    return not_running();
  return send_signal(files.whose(), is->pid, SIGHUP);
}

outcome<session> operations::reconfigure(const standing& now, const check_limits& limits) {
  const auto files = files_of(s_);
  if (!files)
    return files.error();
  if (auto done = reload(*files, now, limits); !done)
    return done.error();
  return open_local(s_, files->whose(), limits);
}

outcome<session> operations::wait_for_answers(const owner& who, const check_limits& limits) {
  for (;;) {
    auto s = open_local(s_, who, within(1s, limits.cancel()));
    if (s || (s.error().code != ec::runtime_unavailable && s.error().code != ec::timed_out))
      return s;
    const auto now = guard_.last();
    if (now && now->now == guard::phase::stopped)
      return {ec::not_converged, "PostgreSQL ended as it was started (exit "
                                   + std::to_string(now->code)
                                   + "): the log of its guard says why"};
    if (limits.over())
      return {ec::timed_out, "PostgreSQL does not take connections yet: " + s.error().message};
    if (auto rested = rest(limits); !rested)
      return rested.error();
  }
}

outcome<> operations::wait_until(session& s, const std::string& sql, const std::string& otherwise,
                                 const check_limits& limits, std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const auto answer = s.ask(sql, limits);
    if (!answer)
      return answer.error();
    if (first_field(*answer) == "t")
      return {};
    if (limits.over() || std::chrono::steady_clock::now() >= end)
      return {ec::timed_out, "PostgreSQL runs, but " + otherwise};
    if (auto rested = rest(limits); !rested)
      return rested;
  }
}

outcome<> operations::rest(const check_limits& limits) {
  const auto r =
    guard_.wait([](const auto&) { return false; }, within(poll_pause, limits.cancel()));
  if (r.error().code == ec::canceled)
    return r.error();
  return {};
}

} // namespace harmony::postgres

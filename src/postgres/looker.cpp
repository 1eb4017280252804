#include "postgres/looker.hpp"

#include <cerrno>

#include <sys/stat.h>

namespace harmony::postgres {

using namespace std::chrono_literals;

namespace {

constexpr auto answer_patience = 1s;
/// A server that has not answered for so long is taken for one that does not run.
constexpr auto silence_limit = 5s;
constexpr std::size_t control_size = 8192;

bool missing(const std::string& path) {
  struct stat s {};
  return ::stat(path.c_str(), &s) != 0 && errno == ENOENT;
}

bool may_run(const guard::report& r) {
  return r.now == guard::phase::standby || r.now == guard::phase::primary;
}

} // namespace

outcome<std::optional<sight>> looker::look(const std::optional<guard::report>& known,
                                           const check_limits& limits) {
  const auto now = std::chrono::steady_clock::now();
  if (known && known->pid != postmaster_) {
    postmaster_ = known->pid;
    alive_at_ = now;
  }
  const bool kept = session_ && session_->open();
  auto seen = ask(within(answer_patience, limits.cancel()));
  if (!seen && kept && seen.error().code == ec::runtime_unavailable) {
    session_.reset(); // somebody may have ended this session alone
    seen = ask(within(answer_patience, limits.cancel()));
  }
  if (seen) {
    alive_at_ = now;
    return std::optional{std::move(*seen)};
  }
  session_.reset();
  const auto code = seen.error().code;
  if (code == ec::timed_out && known && may_run(*known) && now - alive_at_ < silence_limit)
    return std::optional<sight>{};
  if (code != ec::timed_out && code != ec::runtime_unavailable)
    return seen.error(); // it runs, but does not let itself be looked at
  auto is = look_at_files(limits);
  if (!is)
    return is.error();
  return std::optional{sight{std::move(*is), {}}};
}

outcome<sight> looker::ask(const check_limits& limits) {
  if (!session_ || !session_->open()) {
    const auto files = files_of(s_);
    if (!files)
      return failure{ec::runtime_unavailable, files.error().message};
    auto made = greet(files->whose(), limits);
    if (!made)
      return made.error();
    session_.emplace(std::move(*made));
    histories_.clear();
  }
  const auto found = session_->ask("EXECUTE harmony_look", limits);
  if (!found)
    return found.error();
  const auto identified = session_->ask("IDENTIFY_SYSTEM", limits);
  if (!identified)
    return identified.error();
  auto said = read_answers(*found, *identified);
  if (!said)
    return said.error();
  auto before = history(timeline_of(*said), limits);
  if (!before)
    return before.error();
  sight s{told(*said, std::move(*before), s_), {}};
  s.said = std::move(*said);
  return s;
}

outcome<session> looker::greet(const owner& who, const check_limits& limits) const {
  auto made = open_local(s_, who, limits);
  if (!made)
    return made;
  if (const auto done = made->ask(std::string{"PREPARE harmony_look AS "} + look_sql, limits);
      !done)
    return done.error();
  return made;
}

outcome<looker::past> looker::history(std::uint32_t timeline, const check_limits& limits) {
  if (timeline <= 1)
    return past{};
  if (const auto at = histories_.find(timeline); at != histories_.end())
    return at->second;
  const auto answer = session_->ask("TIMELINE_HISTORY " + std::to_string(timeline), limits);
  if (!answer)
    return answer.error();
  const bool shaped = answer->size() == 1 && answer->front().size() == 2;
  auto read = shaped ? read_history(answer->front()[1].value_or("")) : std::nullopt;
  if (!read)
    return {ec::internal,
            "the history of timeline " + std::to_string(timeline) + " cannot be read"};
  return histories_[timeline] = std::move(*read);
}

/// Also a data directory that a copy has not made yet. What cannot be looked at is not "no data":
/// these would be cloned.
bool looker::no_data() const {
  return missing(s_.data_dir)
         || (missing(s_.data_dir + "/PG_VERSION") && missing(s_.data_dir + "/global/pg_control"));
}

outcome<failover::postgres> looker::look_at_files(const check_limits& limits) {
  if (no_data())
    return failover::postgres{};
  const auto files = files_of(s_);
  if (!files)
    return files.error();
  auto raw = files->read_part("global/pg_control", 0, control_size);
  if (stopped_ && raw == control_file_)
    return *stopped_;
  const auto c = control_of(s_, *files, limits);
  if (!c)
    return c.error();
  past before;
  if (c->timeline() > 1) {
    const auto text = files->read("pg_wal/" + history_file(c->timeline()));
    auto read = text ? read_history(*text) : std::nullopt;
    if (!read)
      return {ec::io_error, "the history of timeline " + std::to_string(c->timeline())
                              + " cannot be read in '" + s_.data_dir + "/pg_wal'"};
    before = std::move(*read);
  }
  auto is = told(*c, end_of_log(*c, *files), std::move(before));
  const auto conf = files->read(conf_file);
  const auto now = conf ? read_conf(*conf, s_) : standing{};
  is.upstream = now.upstream;
  is.names = now.names;
  control_file_ = std::move(raw);
  stopped_ = is;
  return is;
}

} // namespace harmony::postgres

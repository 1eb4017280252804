// Orders that replace this member's data by those of the primary.

#include <algorithm>
#include <cerrno>
#include <limits>

#include <fcntl.h>
#include <unistd.h>

#include "guard/words.hpp"
#include "posix/descriptor.hpp"
#include "postgres/conninfo.hpp"
#include "postgres/folders.hpp"
#include "postgres/operations.hpp"

namespace harmony::postgres {

using namespace std::chrono_literals;

namespace {

constexpr auto greet_limit = 10s;
constexpr auto stop_limit = 60s;
constexpr auto rewind_limit = 1h;
constexpr auto clone_limit = 24h; ///< as much as a slow link may need; a stop gives it up
/// The log that comes to be during the copy.
constexpr std::uint64_t spare = std::uint64_t{64} << 20U;

/// While it lives the data are in between.
class while_copying {
public:
  explicit while_copying(std::atomic<bool>& flag) : flag_(flag) { flag_ = true; }
  ~while_copying() { flag_ = false; }
  while_copying(const while_copying&) = delete;
  while_copying& operator=(const while_copying&) = delete;

private:
  std::atomic<bool>& flag_;
};

outcome<> make_ready(const data_files& files, const own_files& own,
                     const failover::member_settings& s, const standing& now) {
  // A copy of a primary lacks it, and whoever starts the copy must start a standby.
  if (auto done = files.write(standby_signal, ""); !done)
    return done;
  if (auto done = restore_own(files, own); !done)
    return done;
  return install(files, s, now);
}

} // namespace

outcome<const failover::member_address*> operations::source_of(const std::string& node) const {
  const auto* found = find_member(s_, node);
  if (found == nullptr)
    return {ec::not_found, "'" + node + "' is no member of the cluster"};
  return found;
}

outcome<> operations::must_be_stopped() const {
  const auto now = guard_.last();
  if (!now)
    return {ec::runtime_unavailable,
            "the guard does not answer, who knows whether PostgreSQL runs"};
  if (now->now != guard::phase::stopped)
    return {ec::not_converged, "PostgreSQL runs: it must be stopped first"};
  return {};
}

/// pg_rewind wants data that were shut down; a standby that starts and stops shuts them down.
outcome<> operations::settle_after_kill(const data_files& files, const std::stop_token& cancel) {
  if (auto started = start_standby("", cancel); !started)
    return started;
  if (auto stopped = stop(cancel); !stopped)
    return stopped;
  const auto c = control_of(s_, files, within(greet_limit, cancel));
  if (!c)
    return c.error();
  if (!c->clean())
    return {ec::not_converged,
            "PostgreSQL was killed, and could not be shut down in order: it is '" + c->state + "'"};
  return {};
}

outcome<> operations::rewind(const std::string& source, const std::stop_token& cancel) {
  const auto from = source_of(source);
  if (!from)
    return from.error();
  if (auto stopped = must_be_stopped(); !stopped)
    return stopped;
  const auto files = files_of(s_);
  if (!files)
    return files.error();
  const auto before = standing_of(*files);
  const auto c = control_of(s_, *files, within(greet_limit, cancel));
  if (!c)
    return c.error();
  if (!c->checksums && !c->log_hints)
    return {ec::not_converged, "the data have neither checksums nor wal_log_hints, so pg_rewind "
                               "cannot know what changed: they must be cloned"};
  if (!c->clean())
    if (auto settled = settle_after_kill(*files, cancel); !settled)
      return settled;
  const while_copying between{copying_};
  const auto own = save_own(*files);
  auto target = reach(s_, **from, clone_name);
  target.emplace_back("dbname", "postgres");
  auto done =
    run_program(s_, files->whose(),
                {{programs(s_, major_of_data(*files)) + "/pg_rewind", "--no-ensure-shutdown",
                  "--target-pgdata=" + s_.data_dir, "--source-server=" + write_conninfo(target)},
                 true},
                within(rewind_limit, cancel));
  // Also where it broke off: whoever starts what is there must start a standby.
  auto ready = make_ready(*files, own, s_, {source, before.names});
  return done ? ready : outcome<>{done.error()};
}

/// Asks what is to be copied, and makes this member's slot there. Answers the major version.
outcome<std::string> operations::copy_source(const failover::member_address& source,
                                             const std::string& folder,
                                             const check_limits& limits) {
  auto s = open_remote(s_, source, limits);
  if (!s)
    return s.error();
  const auto said = s->ask(
    "SELECT current_setting('server_version_num')::int / 10000, pg_is_in_recovery(), "
    "coalesce(sum(pg_database_size(oid)), 0)::bigint, "
    "(SELECT count(*) FROM pg_replication_slots WHERE slot_name = '"
      + slot_of(s_.node) + "') FROM pg_database WHERE has_database_privilege(oid, 'CONNECT')",
    limits);
  if (!said)
    return said.error();
  constexpr std::size_t columns = 4;
  std::uint64_t size = 0;
  const auto r = said->empty() ? row{} : said->front();
  const auto major = r.size() == columns ? major_in(r[0].value_or("")) : std::string{};
  if (major.empty() || !guard::read_number(r[2].value_or(""), size))
    return {ec::io_error,
            "'" + source.node + "' does not say which PostgreSQL it is, and how large"};
  if (r[1] == "t")
    return {ec::not_converged, "'" + source.node + "' is no primary: nothing is cloned from it"};
  size += std::min(spare, std::numeric_limits<std::uint64_t>::max() - size);
  const auto owner = owner_of(s_.data_dir);
  auto room = free_around(folder);
  if (room && *room < size && owner) {
    if (auto removed = remove_set_aside(s_.data_dir, *owner); !removed)
      return removed.error();
    room = free_around(folder);
  }
  if (!room)
    return room.error();
  if (*room < size)
    return {ec::disk_full, "a copy of '" + source.node + "' needs " + size_text(size)
                             + " beside the data that are there, and there are " + size_text(*room)
                             + ": make room around '" + s_.data_dir + "'"};
  if (r[3] == "0")
    if (const auto made =
          s->ask("CREATE_REPLICATION_SLOT " + slot_of(s_.node) + " PHYSICAL RESERVE_WAL", limits);
        !made)
      return made.error();
  return major;
}

outcome<> operations::base_backup(const failover::member_address& source, const std::string& folder,
                                  const owner& who, const check_limits& limits) {
  // What a copy that was broken off left takes room.
  if (auto gone = remove_folder(folder, who); !gone)
    return gone;
  const auto major = copy_source(source, folder, within(greet_limit, limits.cancel()));
  if (!major)
    return major.error();
  const auto bin = programs(s_, *major);
  if (auto fit = check_programs(bin, *major, who, limits); !fit)
    return fit;
  if (auto made = make_folder(folder, who); !made)
    return made;
  const auto done =
    run_program(s_, who,
                {{bin + "/pg_basebackup", "--pgdata=" + folder, "--wal-method=stream",
                  "--checkpoint=fast", "--slot=" + slot_of(s_.node), "--no-password",
                  "--dbname=" + write_conninfo(reach(s_, source, clone_name))},
                 true},
                limits);
  return done ? outcome<>{} : done.error();
}

outcome<> operations::reclone(const std::string& source, const std::stop_token& cancel) {
  const auto from = source_of(source);
  if (!from)
    return from.error();
  if (auto stopped = must_be_stopped(); !stopped)
    return stopped;
  const auto old = files_of(s_);
  if (!old)
    return old.error();
  const auto own = save_own(*old);
  const auto names = standing_of(*old).names;
  const data_files copy{fresh_beside(s_.data_dir), old->whose()};
  const auto made = base_backup(**from, copy.folder(), copy.whose(), within(clone_limit, cancel));
  auto ready = made ? make_ready(copy, own, s_, {source, names}) : made;
  if (!ready) {
    (void)remove_folder(copy.folder(), copy.whose());
    return ready;
  }
  const while_copying between{copying_};
  return exchange(s_.data_dir, copy.folder(), copy.whose());
}

} // namespace harmony::postgres

#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <sys/types.h>

#include "guard/client.hpp"
#include "guard/page.hpp"
#include "posix/descriptor.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

struct pg_conn;

namespace harmony::test {

/// So much later than now, on the guard's clock.
guard::boot_time in(std::chrono::milliseconds t);

/// The longest that a kill may take: K of the fast profile.
inline constexpr std::chrono::milliseconds kill_budget{500};

/// The folder of PostgreSQL's programs, of any version that is installed; fails the test where none
/// is.
std::string postgres_programs();

/// A connection to a server; quiet when it fails.
class session {
public:
  explicit session(const std::string& conninfo);
  session(session&&) noexcept = default;
  session& operator=(session&&) noexcept = default;

  [[nodiscard]] bool open() const;
  /// The first field of the answer; nothing when it failed.
  std::optional<std::string> ask(const std::string& sql);

private:
  std::unique_ptr<pg_conn, void (*)(pg_conn*)> connection_;
};

/// A data directory of its own whose server listens at a socket in a private folder, and a guard
/// for it. Whatever it started has ended when it goes.
class postgres_bed {
public:
  postgres_bed();
  ~postgres_bed();
  postgres_bed(const postgres_bed&) = delete;
  postgres_bed& operator=(const postgres_bed&) = delete;

  [[nodiscard]] std::string data() const { return folder_ / "data"; }
  [[nodiscard]] std::string socket() const { return folder_ / "guard.sock"; }
  [[nodiscard]] std::string conninfo() const;
  [[nodiscard]] std::filesystem::path file(const std::string& name) const { return folder_ / name; }
  /// A command as the owner of the data directory.
  [[nodiscard]] std::string as_owner(const std::string& command) const;

  /// Starts the guard and waits until it listens.
  void start_guard(const std::vector<std::string>& flags = {},
                   const std::map<std::string, std::string>& variables = {});
  /// The same command; for one that is to end by itself.
  [[nodiscard]] std::unique_ptr<process>
  guard_process(const std::vector<std::string>& flags = {},
                const std::map<std::string, std::string>& variables = {}) const;
  [[nodiscard]] process& guard() { return *guard_; }
  /// The guard's second process, which owns PostgreSQL.
  [[nodiscard]] pid_t keeper() const;
  [[nodiscard]] guard::client agent() const;

  /// Starts a primary with that much of a lease and waits until it takes connections; answers its
  /// deadline.
  guard::boot_time start_primary(guard::client& agent, std::chrono::milliseconds lease,
                                 std::uint64_t epoch = 1) const;
  void start_standby(guard::client& agent) const;
  /// A session, as soon as there can be one.
  [[nodiscard]] session connect() const;

  /// The processes of PostgreSQL on this data directory, whoever started them.
  [[nodiscard]] std::vector<pid_t> servers() const;
  /// Whether they are all gone by then.
  [[nodiscard]] bool gone_by(guard::boot_time t) const;

private:
  temp_dir folder_;
  std::string owner_; ///< empty: this user
  open_fd data_fd_;
  open_fd keeper_; ///< its process
  std::unique_ptr<process> guard_;
};

/// Writes row after row in one session, from a thread, until that fails.
class writer {
public:
  explicit writer(const postgres_bed& bed);
  ~writer();
  writer(const writer&) = delete;
  writer& operator=(const writer&) = delete;

  /// Waits until it could write no more (10 s).
  [[nodiscard]] bool ended() const;
  [[nodiscard]] int acknowledged() const { return count_; }
  [[nodiscard]] guard::boot_time last() const { return guard::boot_time{last_}; }

private:
  session session_;
  std::atomic<int> count_{0};
  std::atomic<std::int64_t> last_{0};
  std::atomic<bool> stop_{false}, ended_{false};
  std::thread thread_;
};

/// A backend that commits in a loop and never listens to its client again.
class busy_backend {
public:
  explicit busy_backend(const postgres_bed& bed);
  ~busy_backend() { thread_.join(); }
  busy_backend(const busy_backend&) = delete;
  busy_backend& operator=(const busy_backend&) = delete;

private:
  session session_;
  std::thread thread_;
};

/// Another process, which does `work` and then waits to be killed.
class other_process {
public:
  explicit other_process(const std::function<void()>& work);
  ~other_process();
  other_process(const other_process&) = delete;
  other_process& operator=(const other_process&) = delete;
  void signal(int number) const;
  void end();
  [[nodiscard]] pid_t pid() const { return pid_; }

private:
  pid_t pid_ = 0;
};

} // namespace harmony::test

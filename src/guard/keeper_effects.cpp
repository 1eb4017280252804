// What the guard does to PostgreSQL and its data directory.

#include <cerrno>
#include <csignal>

#include <poll.h>

#include "guard/keeper.hpp"
#include "guard/system.hpp"

namespace harmony::guard {

/// The data directory is opened anew each time: it may have been made or replaced since.
outcome<> keeper::start_postgres(bool primary) {
  data_.reset();
  auto data = data_directory::open(which_.data_dir);
  if (!data)
    return data.error();
  data_.emplace(std::move(*data));
  if (auto clear = clear_strays(); !clear)
    return clear;
  const auto program = program_for(which_, *data_);
  if (!program)
    return program.error();
  if (auto signal = primary ? data_->remove_standby_signal() : data_->add_standby_signal(); !signal)
    return signal;
  auto hints = data_->watch();
  if (!hints)
    return hints.error();
  hints_ = std::move(*hints);
  // The disk may have taken long.
  if (primary && !armed(state_, boot_now()))
    return {ec::timed_out, "the lease ended before PostgreSQL could be started"};
  const auto pid = launch(*program, which_, *data_, tree_);
  if (!pid)
    return pid.error();
  postmaster_ = *pid;
  return {};
}

/// Nothing of PostgreSQL that is not of this guard runs on the data directory: backends that lost
/// their postmaster, as a guard that was killed leaves them, are killed; a whole server is not.
outcome<> keeper::clear_strays() const {
  const auto owner = data_->postmaster_on_record();
  if (works_in(owner, data_->fd()))
    return {ec::name_conflict, "PostgreSQL (pid " + std::to_string(owner) + ") runs on '"
                                 + data_->path()
                                 + "', and this guard did not start it: stop it first"};
  const auto patience = boot_now() + std::chrono::seconds{2};
  while (kill_strays(data_->fd()) > 0) {
    if (boot_now() > patience)
      return {ec::timed_out, "processes of a PostgreSQL that ended still work in '" + data_->path()
                               + "' and cannot be killed: is its disk hanging?"};
    ::poll(nullptr, 0, 5);
  }
  return {};
}

/// As pg_ctl does it.
outcome<> keeper::tell_promote() const {
  if (!data_->has_started(postmaster_))
    return {ec::not_converged, "PostgreSQL is still starting: try again when it is read"};
  if (auto file = data_->add_promote(); !file)
    return file;
  ::kill(postmaster_, SIGUSR1);
  return {};
}

void keeper::tell_stop() const {
  if (postmaster_ > 0)
    ::kill(postmaster_, SIGINT); // a fast stop
}

void keeper::settle() const {
  if (!data_ || !data_->current())
    return;
  if (auto signal = data_->add_standby_signal(); !signal)
    say(signal.error().message);
}

} // namespace harmony::guard

#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

#include "guard/data_directory.hpp"
#include "guard/launch.hpp"
#include "guard/listener.hpp"
#include "guard/machine.hpp"
#include "guard/page.hpp"
#include "guard/tree.hpp"
#include "model/outcome.hpp"
#include "posix/descriptor.hpp"

namespace harmony::guard {

/// The guard's own process: the shell around `step`. One loop; whatever may take long (the disk,
/// the journal, an agent that does not read) is done while PostgreSQL cannot write, or not waited
/// for.
class keeper {
public:
  /// `backstop` is a pidfd of the process that looks at `shown`, `changed` its eventfd.
  keeper(instance which, std::string socket, page& shown, int backstop, int changed);

  /// Until it is told to end; answers the exit code.
  int run();

private:
  outcome<> prepare();
  void loop();
  void wait();

  // What happened since.
  void take_signals();
  void take_children();
  void take_hints();
  void take_agents();
  void continue_killing();

  // The machine.
  decision decide(const event& e);
  void happened(const event& e);
  void answer(const std::string& message);
  void announce(const std::string& text);
  [[nodiscard]] report standing() const;
  [[nodiscard]] std::string how_it_ended() const;

  // Effects.
  outcome<> perform(effect act);
  outcome<> start_postgres(bool primary);
  [[nodiscard]] outcome<> clear_strays() const;
  [[nodiscard]] outcome<> tell_promote() const;
  void tell_stop() const;
  void settle() const;

  instance which_;
  std::string socket_path_;
  page& shown_;
  int backstop_;
  int changed_;

  state state_;
  tree tree_;
  std::optional<data_directory> data_;
  std::optional<listener> listener_;
  open_fd signals_, timer_, hints_;
  boot_time round_{0};      ///< the loop's longest rest, so that the watchdog sees it turn; 0: none
  boot_time kill_began_{0}; ///< when the tree began to be killed
  boot_time missed_{0};     ///< the deadline at that time: what is armed later comes too late
  pid_t postmaster_ = 0;
  int code_ = 0; ///< how the postmaster ended last
  bool done_ = false;
};

} // namespace harmony::guard

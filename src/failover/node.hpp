#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/failover/machine.hpp"
#include "failover/mailbox.hpp"
#include "failover/ports.hpp"
#include "failover/view.hpp"
#include "model/outcome.hpp"

namespace harmony::failover {

/// What a node tells, and whom it asks.
struct node_parts {
  std::shared_ptr<lease_store> store;
  std::shared_ptr<database> postgres;
  /// What it remembered when it starts.
  memory kept;
  /// Makes it durable; blocks as long as that takes. Called from a thread of its own.
  std::function<outcome<void>(const memory&)> remember;
  std::function<void(const fx::audit&)> audit;
  std::function<void(const std::string&)> alarm;
  /// What a view says of it has changed; called from the node's thread.
  std::function<void()> changed;
};

/// One member of a cluster at work: an actor whose mailbox is of its own making, because its timers
/// must be of CLOCK_BOOTTIME and its thread shared with nobody (ADR 20). What happens is put into
/// its mailbox by the ports; it takes one event at a time, asks the machine, and passes on what
/// that answers. Nothing that it calls waits for anything, but for what it remembers to reach the
/// disk.
class node {
public:
  /// `c.incarnation` may be empty: then it is drawn.
  node(config c, node_parts parts);
  ~node();
  node(const node&) = delete;
  node& operator=(const node&) = delete;

  /// Ends it, and leaves PostgreSQL and its guard as they are: who starts a node under a live
  /// deadline goes on. Idempotent; nothing that it was given is called after it.
  void close();

  /// Gives the lease away, if it has it; waits for that until then, or until the lease has run out.
  /// PostgreSQL has stopped by then where it was the primary; a standby goes on. Whether it holds
  /// no lease any more.
  bool hand_over(instant until);

  /// The same, and PostgreSQL has stopped. Fails with timed_out.
  outcome<void> stop(instant until);

  struct snapshot {
    machine state;
    config settings;
    std::string trouble; ///< see database::trouble
  };
  /// As of the last event.
  [[nodiscard]] snapshot look() const;

  /// Takes effect as an event does. Of the members, the periods and the node's name nothing may
  /// differ; the incarnation stays.
  void reconfigure(const config& c);

private:
  /// The guard has answered, or has gone.
  struct disarmed {
    bool ok = false;
  };
  /// The disk has answered.
  struct written {
    std::optional<failure> why_not;
  };
  struct last_stop {};
  using mail = std::variant<event, config, disarmed, written, last_stop>;

  void run();
  void write();
  void begin();
  void resume_or_begin(const std::optional<ev::guard>& word);
  void adopt(config c);
  void take(const event& e);
  void tell(const member_view& seen);
  void work_off();
  void guard_answered(bool ok);
  void disk_answered(const std::optional<failure>& why_not);
  void remember();
  void carry_out(const action& a);
  void perform(const action& a);
  void refuse(const action& a, const std::string& why);
  bool wait(instant until, const std::function<bool(const machine&)>& for_what) const;

  node_parts parts_;
  std::shared_ptr<mailbox<mail>> mail_ = std::make_shared<mailbox<mail>>();
  std::deque<action> outbox_; ///< in the order of the steps
  bool waits_ = false;        ///< what is in the outbox waits for the guard, or for the disk
  instant write_again_;
  std::optional<memory> unwritten_;
  std::string said_; ///< what those who look were told last
  bool well_ = false;

  mutable std::mutex mutex_; // guards what follows, up to the blank line
  mutable std::condition_variable stepped_;
  config config_;
  machine machine_;
  bool stopped_ = false; ///< its last order is over

  std::shared_ptr<mailbox<memory>> to_write_ = std::make_shared<mailbox<memory>>();
  std::mutex closing_;
  std::thread writer_;
  std::thread thread_; // last: it uses the rest
};

} // namespace harmony::failover

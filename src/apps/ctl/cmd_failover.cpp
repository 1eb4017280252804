// PostgreSQL clusters: list, status, history, orders.
#include <algorithm>
#include <random>
#include <thread>

#include "apps/ctl/commands.hpp"
#include "apps/ctl/failover_view.hpp"
#include "transport/cluster_store.hpp"

namespace harmony::ctl {

namespace {

using namespace failover;
using std::chrono::steady_clock;

constexpr auto look_every = milliseconds{100};
/// A primary that takes an order has written so to its lease by then, or has refused.
constexpr auto refused_after = milliseconds{5000};

outcome<std::shared_ptr<cluster_store>> opened(const context& c) {
  return c.env.open_clusters(store_options_of(c.global));
}

/// The lease; a record that cannot be read is a failure of invalid_document.
outcome<std::optional<seen_lease>> read_lease(cluster_store& from, const std::string& cluster,
                                              milliseconds timeout) {
  const auto entry = from.lease(cluster, timeout);
  if (!entry)
    return entry.error();
  if (!*entry)
    return std::optional<seen_lease>{};
  const auto record = read_lease_record((*entry)->value);
  if (!record)
    return failure{ec::invalid_document, record.error().message};
  return std::optional{seen_lease{*record, (*entry)->revision, (*entry)->written}};
}

outcome<cluster_view> read_cluster(cluster_store& from, const std::string& cluster,
                                   const budget& time) {
  cluster_view seen;
  seen.name = cluster;
  auto lease = read_lease(from, cluster, time.left());
  if (lease)
    seen.lease = std::move(*lease);
  else if (lease.error().code == ec::invalid_document)
    seen.fault = lease.error().message;
  else
    return lease.error();
  const auto beats = from.entries(cluster, "hb.", time.left());
  if (!beats)
    return beats.error();
  for (const auto& [node, entry] : *beats) {
    auto beat = read_member_heartbeat(entry.value);
    seen.members.push_back(
      {node, beat ? std::optional{std::move(*beat)} : std::nullopt, entry.written});
  }
  return seen;
}

exit_code failed(const context& c, const failure& why) {
  if (why.code == ec::bucket_not_found) // no such cluster
    return c.fail(exit_code::not_found, why.message);
  if (why.code == ec::invalid_spec) // --store
    return c.fail(exit_code::usage, why.message);
  return c.fail(why);
}

std::string word_of(command_kind k) {
  switch (k) {
  case command_kind::switchover: return "switchover";
  case command_kind::failover: return "failover";
  case command_kind::pause: return "pause";
  case command_kind::resume: return "resume";
  case command_kind::reinit: return "reinit";
  }
  return {};
}

/// No two are the same, and the older one sorts first.
std::string new_id(wall_time now) {
  std::random_device random;
  const auto stamp = std::chrono::duration_cast<milliseconds>(now.time_since_epoch()).count();
  return std::to_string(stamp) + "-" + std::to_string(random());
}

std::string lease_text(const std::optional<lease_record>& r) {
  return r ? "'" + r->holder + "' has the lease, epoch " + std::to_string(r->epoch)
           : "there is no lease";
}

/// Follows an order until it is over.
class follower {
public:
  follower(const context& c, cluster_store& at, const failover_order_options& o,
           cluster_command order, std::optional<lease_record> before, std::uint64_t revision)
    : c_(c),
      at_(at),
      o_(o),
      order_(std::move(order)),
      before_(std::move(before)),
      revision_(revision) {}

  exit_code run() {
    const auto stop = c_.env.on_interrupt();
    const auto end = steady_clock::now() + *o_.wait;
    std::optional<steady_clock::time_point> taken;
    while (!stop.stop_requested() && steady_clock::now() < end) {
      const auto left = std::max(
        milliseconds{1}, std::chrono::duration_cast<milliseconds>(end - steady_clock::now()));
      look(left, taken);
      const auto state =
        order_.kind == command_kind::reinit ? judge_reinit(left) : judge(order_, before_, now_);
      if (state == order_state::otherwise)
        return c_.fail(exit_code::failure,
                       what() + ": the lease went elsewhere: " + lease_text(now_));
      if (state == order_state::happened && taken)
        return done();
      if (taken && steady_clock::now() - *taken > refused_after && unmoved())
        return c_.fail(exit_code::failure,
                       what() + " was refused: it was taken, and " + lease_text(now_)
                         + " as before; the log of that member says why, and 'harmonyctl failover "
                           "status "
                         + o_.cluster + "' who could take over");
      std::this_thread::sleep_for(std::min(look_every, left));
    }
    return give_up(taken.has_value());
  }

private:
  std::string what() const { return word_of(order_.kind) + " of '" + o_.cluster + "'"; }
  std::string key() const { return "cmd." + order_.id; }

  /// A failure on the way is none yet: the store may be what fails over.
  void look(milliseconds timeout, std::optional<steady_clock::time_point>& taken) {
    if (!taken)
      if (const auto lies = at_.get(o_.cluster, key(), timeout); lies && !*lies)
        taken = steady_clock::now();
    if (const auto lease = read_lease(at_, o_.cluster, timeout); lease && *lease)
      now_ = (*lease)->record;
  }

  /// Its member says so itself: out of service, then a standby again.
  order_state judge_reinit(milliseconds timeout) {
    const auto beats = at_.entries(o_.cluster, "hb.", timeout);
    if (!beats)
      return order_state::waiting;
    const auto at = beats->find(order_.to);
    if (at == beats->end())
      return order_state::waiting;
    const auto beat = read_member_heartbeat(at->second.value);
    if (!beat)
      return order_state::waiting;
    const bool serves = beat->role == member_role::standby || beat->role == member_role::primary;
    began_ = began_ || !serves;
    return began_ && beat->role == member_role::standby ? order_state::happened
                                                        : order_state::waiting;
  }

  /// The one whose order it was goes on as before.
  bool unmoved() const {
    if (order_.kind == command_kind::reinit)
      return !began_;
    return now_ && before_ && now_->epoch == before_->epoch && now_->state == before_->state
           && order_.kind != command_kind::failover;
  }

  exit_code done() const {
    c_.print(what() + ": done; " + lease_text(now_) + "\n");
    return exit_code::ok;
  }

  exit_code give_up(bool taken) {
    if (!taken) {
      const auto back = at_.remove(o_.cluster, key(), revision_, c_.global.timeout);
      if (back)
        return c_.fail(exit_code::timeout,
                       what() + ": nobody took the order in time, and it is taken back; "
                         + lease_text(now_));
      if (back.error().code != ec::conflict)
        return c_.fail(exit_code_of(back.error().code),
                       what() + ": nobody took the order in time, and it could not be taken back: "
                         + back.error().message + "; it may yet be carried out");
    }
    return c_.fail(exit_code::timeout, what()
                                         + ": the order was taken, and is not carried out yet; "
                                         + lease_text(now_));
  }

  const context& c_;
  cluster_store& at_;
  const failover_order_options& o_;
  const cluster_command order_;
  const std::optional<lease_record> before_;
  const std::uint64_t revision_;
  std::optional<lease_record> now_;
  bool began_ = false; ///< a reinit
};

/// What a person is asked first; empty: nothing.
std::string question_of(const failover_order_options& o, const std::string& lease) {
  if (o.kind == command_kind::reinit)
    return lease + ". Have '" + o.to + "' of '" + o.cluster
           + "' set its data aside and clone them anew?";
  if (o.allow_data_loss)
    return lease + ". Have '" + o.to + "' take over '" + o.cluster
           + "', even if acknowledged commits are lost?";
  return {};
}

} // namespace

exit_code run(const context& c, const failover_list_options& /*o*/) {
  const auto from = opened(c);
  if (!from)
    return failed(c, from.error());
  const auto names = (*from)->clusters(c.time.left());
  if (!names)
    return failed(c, names.error());
  std::vector<cluster_view> all;
  for (const auto& name : *names) {
    auto seen = read_cluster(**from, name, c.time);
    if (!seen)
      return failed(c, seen.error());
    all.push_back(std::move(*seen));
  }
  c.print(render(list_clusters(all, c.env.now()), c.global.format, c.colour()));
  return exit_code::ok;
}

exit_code run(const context& c, const failover_status_options& o) {
  const auto from = opened(c);
  if (!from)
    return failed(c, from.error());
  const auto seen = read_cluster(**from, o.cluster, c.time);
  if (!seen)
    return failed(c, seen.error());
  if (c.as_table())
    c.print(describe_cluster(*seen, c.env.now(), c.colour()));
  else
    c.print_value(cluster_value(*seen, c.env.now()));
  return exit_code::ok;
}

exit_code run(const context& c, const failover_history_options& o) {
  const auto from = opened(c);
  if (!from)
    return failed(c, from.error());
  const auto pages = (*from)->entries(o.cluster, "history.", c.time.left());
  if (!pages)
    return failed(c, pages.error());
  c.print(render(list_epochs(*pages, c.env.now()), c.global.format, c.colour()));
  return exit_code::ok;
}

exit_code run(const context& c, const failover_init_options& o) {
  const auto to = opened(c);
  if (!to)
    return failed(c, to.error());
  if (const auto done = (*to)->init(o.cluster, o.replicas, c.time.left()); !done)
    return failed(c, done.error());
  c.print("cluster '" + o.cluster + "' has its streams\n");
  return exit_code::ok;
}

exit_code run(const context& c, const failover_order_options& o) {
  const auto to = opened(c);
  if (!to)
    return failed(c, to.error());
  const auto lease = read_lease(**to, o.cluster, c.time.left());
  if (!lease)
    return failed(c, lease.error());
  const auto before = *lease ? std::optional{(*lease)->record} : std::nullopt;
  const auto question = question_of(o, lease_text(before));
  if (!question.empty() && c.env.in_is_terminal && !o.yes && !confirmed(c, question))
    return c.fail(exit_code::failure, "nothing was done: not confirmed");
  const cluster_command order{new_id(c.env.now()), o.kind, o.to, o.allow_data_loss,
                              c.env.variable("USER")};
  // Reading the answer may have taken longer than the command's own time.
  const auto put = (*to)->create(o.cluster, "cmd." + order.id, write(order), c.global.timeout);
  if (!put)
    return failed(c, put.error());
  if (o.wait)
    return follower{c, **to, o, order, before, *put}.run();
  c.print(word_of(o.kind) + " of '" + o.cluster + "' asked for; " + lease_text(before) + "\n");
  return exit_code::ok;
}

} // namespace harmony::ctl

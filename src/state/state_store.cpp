#include "state/state_store.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>

#include "state/commit_queue.hpp"
#include "state/state_database.hpp"
#include "state/state_folder.hpp"
#include "state/state_lock.hpp"
#include "topology/wall_clock.hpp"

namespace harmony {

namespace {

/// What no two resources may own: files and folders share one space of names, every other kind has
/// its own.
std::string holding_of(const resource_id& owner, const std::string& target) {
  const bool path = owner.kind == "File" || owner.kind == "Directory";
  return (path ? std::string{"path"} : owner.kind) + " " + target;
}

struct opened_rows {
  state_database db;
  std::vector<owned_target> owned;
  std::vector<retry_record> retries;
  std::vector<hold_record> holds;
};

/// The database and what its mirror holds; or why the file cannot be used.
outcome<std::variant<opened_rows, std::string>> open_and_read(const std::string& file) {
  using result = std::variant<opened_rows, std::string>;
  auto opened = state_database::open(file);
  if (!opened)
    return opened.error();
  if (auto* bad = std::get_if<state_database::unusable>(&*opened))
    return result{bad->why};
  auto& db = std::get<state_database>(*opened);
  auto rows = db.inventory_rows();
  if (!rows)
    return rows.error();
  auto retries = db.retry_rows();
  if (!retries)
    return retries.error();
  auto holds = db.hold_rows();
  if (!holds)
    return holds.error();
  return result{
    opened_rows{std::move(db), std::move(*rows), std::move(*retries), std::move(*holds)}};
}

} // namespace

// -- implementation ------------------------------------------------------------------------------

class state_store::implementation {
public:
  implementation(std::string folder, state_lock lock, opened_rows opened,
                 std::vector<std::string> said)
    : folder_(std::move(folder)),
      lock_(std::move(lock)),
      db_(std::move(opened.db)),
      notices_(std::move(said)),
      queue_([this](const auto& jobs) { return commit(jobs); }) {
    for (auto& row : opened.owned)
      put(row);
    for (auto& row : opened.retries)
      retries_[row.owner] = std::move(row.counts);
    for (auto& row : opened.holds)
      holds_[row.owner] = std::move(row.hold);
  }

  outcome<void> claim(const owned_target& t) {
    if (const auto known = find(t.owner, t.target);
        known == t && !is_in_flight(holding_of(t.owner, t.target)))
      return {};
    const auto holding = holding_of(t.owner, t.target);
    const state_write job{t};
    return queue_.submit(
      job,
      [&]() -> outcome<void> {
        if (const auto holder = holder_of(holding); holder && *holder != t.owner)
          return {ec::name_conflict, "'" + t.target + "' is already managed by " + holder->str()
                                       + ": remove it there, or use another one here"};
        in_flight_.emplace(holding, t.owner);
        return {};
      },
      [&](const outcome<void>& done) {
        in_flight_.erase(in_flight_.find({holding, t.owner}));
        if (done)
          put(t);
      });
  }

  outcome<void> release(const resource_id& owner, const std::string& target) {
    const auto holding = holding_of(owner, target);
    if (!find(owner, target) && !is_in_flight(holding))
      return {};
    const state_write job{release_record{owner, target}};
    return queue_.submit(
      job,
      [&]() -> outcome<void> {
        in_flight_.emplace(holding, owner);
        return {};
      },
      [&](const outcome<void>& done) {
        in_flight_.erase(in_flight_.find({holding, owner}));
        if (done)
          drop(owner, target);
      });
  }

  outcome<void> save_accepted(accepted_manifest m) {
    return write({std::move(m)}, [] {});
  }

  outcome<void> save_ending(ending_record r) {
    return write({std::move(r)}, [] {});
  }

  outcome<void> remember(const resource_id& owner, const retry_counts& counts) {
    if (recall(owner) == counts)
      return {};
    return write({retry_record{owner, counts}}, [&] { retries_[owner] = counts; });
  }

  outcome<void> forget(const resource_id& owner) {
    if (recall(owner) == retry_counts{})
      return {};
    return write({forget_retries{owner}}, [&] { retries_.erase(owner); });
  }

  outcome<void> hold(const std::string& owner, const resource_hold& h) {
    return write({hold_record{owner, h}}, [&] { holds_[owner] = h; });
  }

  outcome<void> release_hold_of(const std::string& owner) {
    return write({release_hold{owner}}, [&] { holds_.erase(owner); });
  }

  std::map<std::string, resource_hold> holds() const {
    return queue_.locked([&] { return holds_; });
  }

  retry_counts recall(const resource_id& owner) const {
    return queue_.locked([&] {
      const auto it = retries_.find(owner);
      return it == retries_.end() ? retry_counts{} : it->second;
    });
  }

  std::optional<owned_target> find(const resource_id& owner, const std::string& target) const {
    return queue_.locked([&]() -> std::optional<owned_target> {
      const auto it = records_.find({owner, target});
      return it == records_.end() ? std::nullopt : std::optional{it->second};
    });
  }

  std::vector<owned_target> of(const resource_id& owner) const {
    return queue_.locked([&] {
      std::vector<owned_target> found;
      for (auto it = records_.lower_bound({owner, {}});
           it != records_.end() && it->first.first == owner; ++it)
        found.push_back(it->second);
      return found;
    });
  }

  std::vector<owned_target> all() const {
    return queue_.locked([&] {
      std::vector<owned_target> found;
      found.reserve(records_.size());
      for (const auto& entry : records_)
        found.push_back(entry.second);
      return found;
    });
  }

  outcome<std::vector<accepted_manifest>> history(std::size_t limit) {
    const std::lock_guard guard{db_mutex_};
    return db_.accepted_rows(limit);
  }

  const std::string& folder() const { return folder_; }
  const std::vector<std::string>& notices() const { return notices_; }
  std::uint64_t commits() const { return commits_; }

private:
  outcome<void> commit(const std::vector<const state_write*>& jobs) {
    const std::lock_guard guard{db_mutex_};
    ++commits_;
    return db_.commit(jobs);
  }

  /// Makes a write durable, and `mirror`s it in memory, under the queue's lock, where it was.
  template <class Mirror>
  outcome<void> write(const state_write& job, Mirror mirror) {
    return queue_.submit(
      job, [] { return outcome<void>{}; },
      [&](const outcome<void>& done) {
        if (done)
          mirror();
      });
  }

  // The following run under the queue's lock (or in the constructor).

  void put(const owned_target& t) {
    records_[{t.owner, t.target}] = t;
    holders_[holding_of(t.owner, t.target)] = t.owner;
  }

  void drop(const resource_id& owner, const std::string& target) {
    if (records_.erase({owner, target}) > 0)
      holders_.erase(holding_of(owner, target));
  }

  /// Who holds it, durably or in a write under way.
  std::optional<resource_id> holder_of(const std::string& holding) const {
    if (const auto it = in_flight_.lower_bound({holding, {}});
        it != in_flight_.end() && it->first == holding)
      return it->second;
    const auto it = holders_.find(holding);
    return it == holders_.end() ? std::nullopt : std::optional{it->second};
  }

  bool is_in_flight(const std::string& holding) const {
    return queue_.locked([&] {
      const auto it = in_flight_.lower_bound({holding, {}});
      return it != in_flight_.end() && it->first == holding;
    });
  }

  const std::string folder_;
  const state_lock lock_;
  std::mutex db_mutex_;
  state_database db_;
  const std::vector<std::string> notices_;
  std::atomic<std::uint64_t> commits_{0};
  std::map<std::pair<resource_id, std::string>, owned_target> records_;
  std::map<std::string, resource_id> holders_;
  std::map<resource_id, retry_counts> retries_;
  std::map<std::string, resource_hold> holds_; ///< by resource id; "": the whole device
  std::multiset<std::pair<std::string, resource_id>> in_flight_;
  commit_queue<state_write> queue_;
};

// -- state_store ---------------------------------------------------------------------------------

state_store::state_store(std::unique_ptr<implementation> i) : impl_(std::move(i)) {}
state_store::~state_store() = default;

outcome<std::unique_ptr<state_store>> state_store::open(const std::string& folder) {
  std::vector<std::string> notices;
  if (auto made = make_folder(folder, notices); !made)
    return made.error();
  auto lock = state_lock::take(folder);
  if (!lock)
    return lock.error();
  const auto file = folder + "/state.db";
  // Twice: the second time after an unusable database was set aside.
  for (const bool last : {false, true}) {
    if (auto made = make_private(file); !made)
      return made.error();
    auto opened = open_and_read(file);
    if (!opened)
      return opened.error();
    if (auto* rows = std::get_if<opened_rows>(&*opened))
      return std::unique_ptr<state_store>{new state_store{std::make_unique<implementation>(
        folder, std::move(*lock), std::move(*rows), std::move(notices))}};
    const auto& why = std::get<std::string>(*opened);
    if (last)
      return {
        ec::io_error,
        std::string{"cannot make the state database '"}.append(file).append("': ").append(why)};
    auto aside = set_aside(file);
    if (!aside)
      return aside.error();
    notices.push_back(std::string{"the state database could not be used ("}
                        .append(why)
                        .append(") and was set aside as '")
                        .append(*aside)
                        .append("'; what this agent owned is forgotten, so that what differs from "
                                "its manifest is reported as NameConflict"));
  }
  return {ec::internal, "state_store::open fell through"};
}

std::unique_ptr<state_store> state_store::in_memory() {
  auto opened = open_and_read(":memory:");
  auto* rows = opened ? std::get_if<opened_rows>(&*opened) : nullptr;
  if (rows == nullptr)
    std::terminate(); // out of memory: SQLite asks for nothing else here
  return std::unique_ptr<state_store>{new state_store{std::make_unique<implementation>(
    std::string{}, state_lock{}, std::move(*rows), std::vector<std::string>{})}};
}

const std::vector<std::string>& state_store::notices() const noexcept {
  return impl_->notices();
}

const std::string& state_store::path() const noexcept {
  return impl_->folder();
}

outcome<void> state_store::claim(const owned_target& t) {
  return impl_->claim(t);
}

outcome<void> state_store::release(const resource_id& owner, const std::string& target) {
  return impl_->release(owner, target);
}

std::optional<owned_target> state_store::find(const resource_id& owner,
                                              const std::string& target) const {
  return impl_->find(owner, target);
}

std::vector<owned_target> state_store::of(const resource_id& owner) const {
  return impl_->of(owner);
}

std::vector<owned_target> state_store::all() const {
  return impl_->all();
}

outcome<void> state_store::remember(const resource_id& owner, const retry_counts& counts) {
  return impl_->remember(owner, counts);
}

outcome<void> state_store::forget(const resource_id& owner) {
  return impl_->forget(owner);
}

retry_counts state_store::recall(const resource_id& owner) const {
  return impl_->recall(owner);
}

outcome<void> state_store::hold(const std::optional<resource_id>& what, const resource_hold& h) {
  return impl_->hold(what ? what->str() : std::string{}, h);
}

outcome<std::uint32_t> state_store::unhold(const std::optional<resource_id>& what) {
  std::uint32_t released = 0;
  for (const auto& [owner, hold] : impl_->holds()) {
    if (what && owner != what->str())
      continue;
    if (auto done = impl_->release_hold_of(owner); !done)
      return done.error();
    ++released;
  }
  return released;
}

std::optional<resource_hold> state_store::held(const resource_id& id, timestamp now) const {
  std::optional<resource_hold> longest;
  const auto all = impl_->holds();
  for (const auto& owner : {std::string{}, id.str()})
    if (const auto it = all.find(owner); it != all.end() && it->second.until > now
                                         && (!longest || it->second.until > longest->until))
      longest = it->second;
  return longest;
}

outcome<void> state_store::save_ending(generation_number generation, std::uint32_t key_epoch,
                                       generation_ending ending, const std::string& why) {
  return impl_->save_ending({generation, key_epoch, ending, why});
}

outcome<void> state_store::save_accepted(generation_number generation, std::uint32_t key_epoch,
                                         const std::string& hash, const std::string& document) {
  return impl_->save_accepted({generation, key_epoch, hash, document, wall_now(), {}, {}});
}

outcome<std::optional<accepted_manifest>> state_store::accepted() const {
  auto newest = impl_->history(1);
  if (!newest)
    return newest.error();
  if (newest->empty())
    return std::optional<accepted_manifest>{};
  return std::optional{std::move(newest->front())};
}

outcome<std::vector<accepted_manifest>> state_store::history() const {
  return impl_->history(history_length + 1);
}

std::uint64_t state_store::commits() const noexcept {
  return impl_->commits();
}

} // namespace harmony

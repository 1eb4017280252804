#include "state/state_store.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>

#include "state/commit_queue.hpp"
#include "state/state_database.hpp"
#include "state/state_folder.hpp"
#include "state/state_lock.hpp"

namespace harmony {

namespace {

timestamp now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

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
  bool rebuilding = false;
};

/// The fact that a database was begun in place of one that was lost.
const std::string rebuilding_fact = "rebuilding";

using opened_database = outcome<std::variant<state_database, state_database::unusable>>;

/// The database and what its mirror holds; or why the file cannot be used.
outcome<std::variant<opened_rows, std::string>> read_all(opened_database opened) {
  using result = std::variant<opened_rows, std::string>;
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
  const auto lost = db.fact(rebuilding_fact);
  if (!lost)
    return lost.error();
  return result{opened_rows{std::move(db), std::move(*rows), std::move(*retries), !lost->empty()}};
}

} // namespace

class state_store::implementation {
public:
  implementation(std::string folder, state_lock lock, opened_rows opened,
                 std::vector<state_notice> said)
    : folder_(std::move(folder)),
      lock_(std::move(lock)),
      db_(std::move(opened.db)),
      notices_(std::move(said)),
      rebuilding_(opened.rebuilding),
      queue_([this](const auto& jobs) { return commit(jobs); }) {
    for (auto& row : opened.owned)
      put(row);
    for (auto& row : opened.retries)
      retries_[row.owner] = std::move(row.counts);
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

  outcome<void> save_accepted(accepted_manifest m) { return write(state_write{std::move(m)}); }

  outcome<void> save_ending(ending_record r) { return write(state_write{std::move(r)}); }

  outcome<void> remember(const resource_id& owner, const retry_counts& counts) {
    if (recall(owner) == counts)
      return {};
    return write(state_write{retry_record{owner, counts}}, [&] { retries_[owner] = counts; });
  }

  outcome<void> forget(const resource_id& owner) {
    if (recall(owner) == retry_counts{})
      return {};
    return write(state_write{forget_retries{owner}}, [&] { retries_.erase(owner); });
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
  const std::vector<state_notice>& notices() const { return notices_; }
  bool rebuilding() const { return rebuilding_; }

  outcome<void> rebuilt() { return write(state_write{fact_record{rebuilding_fact, {}}}); }

  void watch_health(std::function<void(const outcome<void>&)> sink) {
    const std::lock_guard guard{db_mutex_};
    health_sink_ = std::move(sink);
  }
  std::uint64_t commits() const { return commits_; }

private:
  /// A write that nothing stands against; `mirror` follows it.
  outcome<void> write(
    const state_write& job, const std::function<void()>& mirror = [] {}) {
    return queue_.submit(
      job, [] { return outcome<void>{}; },
      [&](const outcome<void>& done) {
        if (done)
          mirror();
      });
  }

  outcome<void> commit(const std::vector<const state_write*>& jobs) {
    const std::lock_guard guard{db_mutex_};
    ++commits_;
    auto done = db_.commit(jobs);
    const auto trouble = done ? std::nullopt : std::optional{done.error().code};
    if (std::exchange(trouble_, trouble) != trouble && health_sink_)
      health_sink_(done);
    return done;
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
  const std::vector<state_notice> notices_;
  const bool rebuilding_;
  std::optional<ec> trouble_; ///< of the last commit
  std::function<void(const outcome<void>&)> health_sink_;
  std::atomic<std::uint64_t> commits_{0};
  std::map<std::pair<resource_id, std::string>, owned_target> records_;
  std::map<std::string, resource_id> holders_;
  std::map<resource_id, retry_counts> retries_;
  std::multiset<std::pair<std::string, resource_id>> in_flight_;
  commit_queue<state_write> queue_;
};

state_store::state_store(std::unique_ptr<implementation> i) : impl_(std::move(i)) {}
state_store::~state_store() = default;

outcome<std::unique_ptr<state_store>> state_store::open(const std::string& folder) {
  std::vector<state_notice> notices;
  bool open_to_others = false;
  if (auto made = make_folder(folder, open_to_others); !made)
    return made.error();
  if (open_to_others)
    notices.push_back(
      {"StateExposed", "FolderOpenToOthers",
       "the state folder '" + folder + "' is open to other users: run chmod 700 on it"});
  auto lock = state_lock::take(folder);
  if (!lock)
    return lock.error();
  const auto file = folder + "/state.db";
  // Twice: the second time after an unusable database was set aside.
  for (const bool last : {false, true}) {
    if (auto made = make_private(file); !made)
      return made.error();
    auto opened = read_all(state_database::open(file));
    if (!opened)
      return opened.error();
    auto* rows = std::get_if<opened_rows>(&*opened);
    if (rows != nullptr && last) { // durable, so that the next start goes on with it
      const state_write lost{fact_record{rebuilding_fact, "1"}};
      if (auto noted = rows->db.commit({&lost}); !noted)
        return noted.error();
      rows->rebuilding = true;
    }
    if (rows != nullptr)
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
    notices.push_back({"StateRebuilt", "DatabaseUnusable",
                       std::string{"the state database could not be used ("}
                         .append(why)
                         .append(") and was set aside as '")
                         .append(*aside)
                         .append("'; what bears the agent's mark or equals the manifest is taken "
                                 "back, other things in the way are reported as NameConflict")});
  }
  return {ec::internal, "state_store::open fell through"};
}

std::unique_ptr<state_store> state_store::in_memory() {
  return in_memory_from({});
}

std::unique_ptr<state_store> state_store::in_memory_from(const std::string& folder) {
  auto opened = folder.empty() ? read_all(state_database::open(":memory:"))
                               : read_all(state_database::open_copy(folder + "/state.db"));
  auto* rows = opened ? std::get_if<opened_rows>(&*opened) : nullptr;
  if (rows == nullptr && !folder.empty())
    return in_memory();
  if (rows == nullptr)
    std::terminate(); // out of memory: SQLite asks for nothing else here
  return std::unique_ptr<state_store>{new state_store{std::make_unique<implementation>(
    std::string{}, state_lock{}, std::move(*rows), std::vector<state_notice>{})}};
}

void state_store::watch_health(std::function<void(const outcome<void>&)> sink) {
  impl_->watch_health(std::move(sink));
}

bool state_store::rebuilding() const {
  return impl_->rebuilding();
}

outcome<void> state_store::rebuilt() {
  return impl_->rebuilt();
}

const std::vector<state_notice>& state_store::notices() const noexcept {
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

outcome<void> state_store::save_ending(generation_number generation, std::uint32_t key_epoch,
                                       generation_ending ending, const std::string& why) {
  return impl_->save_ending({generation, key_epoch, ending, why});
}

outcome<void> state_store::save_accepted(generation_number generation, std::uint32_t key_epoch,
                                         const std::string& hash, const std::string& document) {
  return impl_->save_accepted({generation, key_epoch, hash, document, now(), {}, {}});
}

outcome<std::optional<accepted_manifest>> state_store::accepted() const {
  auto newest = impl_->history(1);
  if (!newest)
    return newest.error();
  return newest->empty() ? std::nullopt : std::optional{std::move(newest->front())};
}

outcome<std::vector<accepted_manifest>> state_store::history() const {
  return impl_->history(history_length + 1);
}

std::uint64_t state_store::commits() const noexcept {
  return impl_->commits();
}

} // namespace harmony

#include "state/state_mirror.hpp"

#include "state/state_folder.hpp"
#include "topology/wall_clock.hpp"

namespace harmony {

namespace {

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
  auto holds = db.hold_rows();
  if (!holds)
    return holds.error();
  const auto lost = db.fact(rebuilding_fact);
  if (!lost)
    return lost.error();
  return result{opened_rows{std::move(db), std::move(*rows), std::move(*retries), std::move(*holds),
                            !lost->empty()}};
}

} // namespace

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

outcome<void> state_store::save_fact(const std::string& name, const std::string& value) {
  return impl_->save_fact(name, value);
}

outcome<std::string> state_store::fact(const std::string& name) const {
  return impl_->fact(name);
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
  return newest->empty() ? std::nullopt : std::optional{std::move(newest->front())};
}

outcome<std::vector<accepted_manifest>> state_store::history() const {
  return impl_->history(history_length + 1);
}

std::uint64_t state_store::commits() const noexcept {
  return impl_->commits();
}

} // namespace harmony

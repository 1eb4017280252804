#include "transport/directory_store.hpp"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <sys/file.h>
#include <thread>
#include <unistd.h>

#include "transport/directory_history.hpp"
#include "transport/store_rules.hpp"

namespace harmony {

namespace {

using std::chrono::steady_clock;
using std::chrono::system_clock;

constexpr std::string_view beat_folder = "hb";

std::string described(bucket b, std::string_view key) {
  return "key '" + std::string{key} + "' of bucket '" + std::string{name_of(b)} + "'";
}

std::string unique_suffix() {
  static std::atomic<unsigned> count = 0;
  return "." + std::to_string(::getpid()) + "-" + std::to_string(count++) + ".tmp";
}

} // namespace

/// Keeps other threads and processes from writing to a bucket. The flock is on the folder itself,
/// so nobody can delete it apart from what it guards.
class directory_store::bucket_lock {
public:
  bucket_lock(std::unique_lock<std::timed_mutex> turn, open_fd folder)
    : turn_(std::move(turn)), folder_(std::move(folder)) {}

  [[nodiscard]] const open_fd& folder() const { return folder_; }

private:
  std::unique_lock<std::timed_mutex> turn_;
  open_fd folder_; // closing it ends the flock, before the turn ends
};

directory_store::directory_store(std::filesystem::path root)
  : root_(std::move(root)), beat_suffix_(unique_suffix()), watcher_(root_) {}

directory_store::~directory_store() {
  close();
}

outcome<void> directory_store::usable(std::string_view key) const {
  if (closed_)
    return {ec::store_unavailable, "the store '" + root_.string() + "' was closed"};
  return check_key(key);
}

std::filesystem::path directory_store::folder_of(bucket b) const {
  return root_ / name_of(b);
}

outcome<void> directory_store::prepare(milliseconds /*timeout*/) {
  if (closed_)
    return {ec::store_unavailable, "the store '" + root_.string() + "' was closed"};
  if (auto made = directory::make_folder(root_); !made)
    return made;
  for (const auto b : all_buckets)
    if (auto made = directory::make_folder(folder_of(b)); !made)
      return made;
  for (const auto folder : {beat_folder, directory::command_folder, directory::answer_folder})
    if (auto made = directory::make_folder(root_ / folder); !made)
      return made;
  return {};
}

outcome<std::optional<store_entry>> directory_store::get(bucket b, std::string_view key,
                                                         milliseconds /*timeout*/) {
  if (auto good = usable(key); !good)
    return good.error();
  const auto folder = directory::open_folder(folder_of(b));
  if (!folder)
    return folder.error();
  auto found = read(b, *folder, key);
  if (!found)
    return found.error();
  if (!*found || (*found)->deleted)
    return std::optional<store_entry>{};
  auto& entry = **found;
  return std::optional{store_entry{std::move(entry.value), entry.revision, entry.written}};
}

outcome<std::optional<directory::entry>> directory_store::read(bucket b, const open_fd& folder,
                                                               std::string_view key) const {
  const auto content = directory::read_at(folder, std::string{key});
  if (!content)
    return {content.error().code, described(b, key) + ": " + content.error().message};
  if (!*content)
    return std::optional<directory::entry>{};
  auto entry = directory::read_entry((*content)->bytes, (folder_of(b) / key).string());
  if (!entry)
    return entry.error();
  return std::optional{std::move(*entry)};
}

outcome<directory_store::bucket_lock> directory_store::lock(bucket b, deadline until) {
  const auto path = folder_of(b);
  const failure late{ec::timed_out, "cannot write to '" + path.string()
                                      + "': another writer keeps it locked (see lslocks)"};
  std::unique_lock turn{turns_.at(static_cast<std::size_t>(b)), std::defer_lock};
  if (!turn.try_lock_until(until))
    return late;
  auto folder = directory::open_folder(path);
  if (!folder)
    return folder.error();
  // flock knows no deadline. Another process holds it for about a millisecond.
  auto pause = std::chrono::microseconds{100};
  while (::flock(folder->get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      return directory::from_errno(errno, "lock '" + path.string() + "'");
    if (closed_)
      return {ec::store_unavailable, "the store '" + root_.string() + "' was closed"};
    if (steady_clock::now() + pause >= until)
      return late;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::microseconds{5000});
  }
  return bucket_lock{std::move(turn), std::move(*folder)};
}

outcome<std::uint64_t> directory_store::put(bucket b, std::string_view key, std::string_view value,
                                            std::uint64_t expected, milliseconds timeout) {
  if (auto good = check_value(value); !good)
    return {good.error().code, described(b, key) + ": " + good.error().message};
  return write(b, key, value, expected, steady_clock::now() + timeout);
}

outcome<void> directory_store::remove(bucket b, std::string_view key, std::uint64_t expected,
                                      milliseconds timeout) {
  if (auto done = write(b, key, std::nullopt, expected, steady_clock::now() + timeout); !done)
    return done.error();
  return {};
}

// Writes a value, or the mark of a deletion.
outcome<std::uint64_t> directory_store::write(bucket b, std::string_view key,
                                              std::optional<std::string_view> value,
                                              std::uint64_t expected, deadline until) {
  if (auto good = usable(key); !good)
    return good.error();
  const auto locked = lock(b, until);
  if (!locked)
    return locked.error();
  const auto& folder = locked->folder();
  const auto found = read(b, folder, key);
  if (!found)
    return found.error();
  const bool exists = *found && !(*found)->deleted;
  const auto newest = *found ? (*found)->revision : 0;
  if (expected != (exists ? newest : 0))
    return {ec::conflict,
            described(b, key) + " was changed by somebody else: revision "
              + std::to_string(expected) + " was expected, "
              + (exists ? "it is at " + std::to_string(newest) : "it does not exist")};
  if (!value && !exists)
    return newest; // nothing to delete
  directory::entry next;
  next.revision = newest + 1;
  next.written = system_clock::now();
  next.deleted = !value;
  next.value = value.value_or("");
  auto head = directory::header_of(next);
  // Nobody else writes in this bucket now: a name that a killed writer left behind is taken over.
  const auto name = std::string{key};
  if (b == bucket::desired_state)
    directory::keep_former(folder, name, newest, !exists);
  if (auto done = directory::replace_at(folder, name, "." + name + ".tmp", head, next.value, true);
      !done)
    return {done.error().code, described(b, key) + ": " + done.error().message};
  return next.revision;
}

outcome<std::vector<store_entry>> directory_store::history(bucket b, std::string_view key,
                                                           milliseconds /*timeout*/) {
  if (auto good = usable(key); !good)
    return good.error();
  const auto folder = directory::open_folder(folder_of(b));
  if (!folder)
    return folder.error();
  auto now = read(b, *folder, key);
  if (!now)
    return now.error();
  std::vector<store_entry> entries;
  if (!*now)
    return entries;
  const auto newest = (*now)->revision;
  if (!(*now)->deleted)
    entries.push_back({std::move((*now)->value), newest, (*now)->written});
  for (auto& former : directory::former_entries(*folder, std::string{key}, newest))
    entries.push_back({std::move(former.value), former.revision, former.written});
  return entries;
}

outcome<std::vector<std::string>> directory_store::keys(bucket b, milliseconds /*timeout*/) {
  if (closed_)
    return {ec::store_unavailable, "the store '" + root_.string() + "' was closed"};
  const auto folder = directory::open_folder(folder_of(b));
  if (!folder)
    return folder.error();
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator it{folder_of(b), error}, end; !error && it != end;
       it.increment(error))
    if (auto name = it->path().filename().string(); check_key(name).ok())
      names.push_back(std::move(name));
  if (error)
    return directory::from_errno(error.value(), "list '" + folder_of(b).string() + "'");
  std::sort(names.begin(), names.end());
  std::vector<std::string> alive;
  for (auto& name : names) {
    const auto found = read(b, *folder, name);
    if (!found)
      return found.error();
    if (*found && !(*found)->deleted)
      alive.push_back(std::move(name));
  }
  return alive;
}

outcome<std::unique_ptr<subscription>> directory_store::watch(bucket b, std::string_view key,
                                                              on_change sink) {
  if (!key.empty())
    if (auto good = check_key(key); !good)
      return good.error();
  return watcher_.watch(std::string{name_of(b)}, std::string{key}, std::move(sink));
}

outcome<void> directory_store::beat(std::string_view agent, std::string_view payload) {
  if (auto good = usable(agent); !good)
    return good;
  const auto folder = directory::open_folder(root_ / beat_folder);
  if (!folder)
    return folder.error();
  const auto name = std::string{agent};
  const std::lock_guard guard{beat_mutex_};
  return directory::replace_at(*folder, name, "." + name + beat_suffix_, payload, {}, false);
}

outcome<std::optional<store_entry>> directory_store::last_beat(std::string_view agent,
                                                               milliseconds /*timeout*/) {
  if (auto good = usable(agent); !good)
    return good.error();
  const auto folder = directory::open_folder(root_ / beat_folder);
  if (!folder)
    return folder.error();
  auto content = directory::read_at(*folder, std::string{agent});
  if (!content)
    return content.error();
  if (!*content)
    return std::optional<store_entry>{};
  const auto& modified = (*content)->modified;
  const auto since =
    std::chrono::seconds{modified.tv_sec} + std::chrono::nanoseconds{modified.tv_nsec};
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(since);
  return std::optional{store_entry{std::move((*content)->bytes),
                                   static_cast<std::uint64_t>(micros.count()),
                                   system_clock::time_point{micros}}};
}

outcome<std::unique_ptr<subscription>> directory_store::watch_beats(on_change sink) {
  return watcher_.watch(std::string{beat_folder}, {}, std::move(sink));
}

outcome<std::unique_ptr<subscription>> directory_store::serve(std::string_view agent,
                                                              on_command sink) {
  if (auto good = usable(agent); !good)
    return good.error();
  return directory::serve_commands(root_, watcher_, agent, std::move(sink));
}

outcome<std::string> directory_store::request(std::string_view agent, std::string_view verb,
                                              std::string_view payload, milliseconds timeout) {
  if (auto good = usable(agent); !good)
    return good.error();
  if (auto good = check_verb(verb); !good)
    return good.error();
  directory::command_call call{root_, watcher_, agent};
  {
    const std::lock_guard guard{calls_mutex_};
    calls_.insert(&call);
  }
  auto answer = closed_ ? outcome<std::string>{ec::store_unavailable, "the store was closed"}
                        : call.run(verb, payload, steady_clock::now() + timeout);
  const std::lock_guard guard{calls_mutex_};
  calls_.erase(&call);
  return answer;
}

void directory_store::watch_connection(on_state sink) {
  const std::lock_guard guard{state_mutex_};
  state_sink_ = std::move(sink);
  if (state_sink_)
    state_sink_(!closed_, closed_ ? "closed" : "folder '" + root_.string() + "'");
}

void directory_store::close() {
  if (closed_.exchange(true))
    return;
  {
    const std::lock_guard guard{calls_mutex_};
    for (auto* call : calls_)
      call->cancel();
  }
  watcher_.stop();
  const std::lock_guard guard{state_mutex_};
  if (state_sink_)
    state_sink_(false, "closed");
}

} // namespace harmony

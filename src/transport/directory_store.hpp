#pragma once

#include <array>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>

#include "transport/directory_commands.hpp"
#include "transport/directory_entry.hpp"
#include "transport/directory_io.hpp"
#include "transport/directory_watcher.hpp"
#include "transport/store.hpp"

namespace harmony {

/// The store in a local folder: the embedded default, for one device, for tests and for demos.
/// docs/stores.md has its layout.
///
/// Invariants: a key's file is only ever replaced whole, under the exclusive flock of its bucket's
/// folder; the revision in it grows by one with each write and each deletion, and a deletion leaves
/// a file, so no revision comes twice. Any number of processes may use one folder.
class directory_store final : public store {
public:
  /// `root` is absolute. Nothing is created or opened before it is needed.
  explicit directory_store(std::filesystem::path root);
  ~directory_store() override;

  outcome<void> prepare(milliseconds timeout) override;
  outcome<std::optional<store_entry>> get(bucket b, std::string_view key,
                                          milliseconds timeout) override;
  outcome<std::uint64_t> put(bucket b, std::string_view key, std::string_view value,
                             std::uint64_t expected, milliseconds timeout) override;
  outcome<void> remove(bucket b, std::string_view key, std::uint64_t expected,
                       milliseconds timeout) override;
  outcome<std::vector<std::string>> keys(bucket b, milliseconds timeout) override;
  outcome<std::vector<store_entry>> history(bucket b, std::string_view key,
                                            milliseconds timeout) override;
  outcome<std::unique_ptr<subscription>> watch(bucket b, std::string_view key,
                                               on_change sink) override;
  outcome<void> beat(std::string_view agent, std::string_view payload) override;
  outcome<std::optional<store_entry>> last_beat(std::string_view agent,
                                                milliseconds timeout) override;
  outcome<std::unique_ptr<subscription>> watch_beats(on_change sink) override;
  outcome<std::unique_ptr<subscription>> serve(std::string_view agent, on_command sink) override;
  outcome<std::string> request(std::string_view agent, std::string_view verb,
                               std::string_view payload, milliseconds timeout) override;
  void watch_connection(on_state sink) override;
  void close() override;

private:
  using deadline = std::chrono::steady_clock::time_point;
  class bucket_lock;

  [[nodiscard]] outcome<void> usable(std::string_view key) const;
  [[nodiscard]] std::filesystem::path folder_of(bucket b) const;
  outcome<bucket_lock> lock(bucket b, deadline until);
  outcome<std::optional<directory::entry>> read(bucket b, const open_fd& folder,
                                                std::string_view key) const;
  outcome<std::uint64_t> write(bucket b, std::string_view key,
                               std::optional<std::string_view> value, std::uint64_t expected,
                               deadline until);

  std::filesystem::path root_;
  std::atomic<bool> closed_ = false;
  std::array<std::timed_mutex, 3> turns_; // of this process's threads, a bucket each
  std::mutex beat_mutex_;                 // one heartbeat at a time: they share a temporary name
  std::string beat_suffix_;               // makes that name this store's own
  directory::watcher watcher_;
  std::mutex calls_mutex_;
  std::set<directory::command_call*> calls_; // under way
  std::mutex state_mutex_;
  on_state state_sink_;
};

} // namespace harmony

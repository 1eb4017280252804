#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/ids.hpp"
#include "model/manifest.hpp"
#include "model/outcome.hpp"
#include "reconcilers/hold_memory.hpp"
#include "reconcilers/inventory.hpp"
#include "reconcilers/retry_memory.hpp"

namespace harmony {

/// What became of a generation.
enum class generation_ending {
  open,        ///< neither of these yet
  converged,   ///< every resource was ready at it
  rolled_back, ///< it was not ready in time
};

/// A manifest that this agent accepted, as it came.
struct accepted_manifest {
  generation_number generation = 0;
  std::uint32_t key_epoch = 0;
  std::string hash;      ///< of the content, as the caller computed it
  std::string document;  ///< the exact bytes, with their envelope if they had one
  timestamp accepted_at; ///< by this device's clock
  generation_ending ending = generation_ending::open;
  std::string why; ///< of a rolled back one

  friend bool operator==(const accepted_manifest&, const accepted_manifest&) = default;
};

/// Something that `open` had to put right, or that is wrong with the folder.
struct state_notice {
  std::string condition; ///< its name in a status: "StateRebuilt", "StateExposed"
  std::string reason;
  std::string message;
};

/// What this agent remembers on the device: what it owns and the manifests it accepted. A SQLite
/// database (WAL, synchronous=FULL) in a folder that one process holds at a time.
///
/// Invariant: the mirror in memory equals what is durable; it changes after the commit, never
/// before. Reads never touch the disk, except for `accepted` and `history`.
///
/// Thread-safe. Writes that come together share one commit. A write fails with disk_full,
/// read_only, permission_denied or io_error and then has not happened.
class state_store final : public inventory, public retry_memory, public hold_memory {
public:
  /// How many accepted manifests are kept.
  static constexpr std::size_t history_length = 10;

  /// Opens the store in `folder`, which is made (mode 0700) if missing. A database that is corrupt
  /// or of a newer version is set aside as `state.db.corrupt-<n>` and a new one begun; `notices`
  /// says so. Fails with name_conflict when another process uses the folder, and with
  /// permission_denied, read_only, disk_full or io_error when it cannot be written.
  static outcome<std::unique_ptr<state_store>> open(const std::string& folder);

  /// A store that forgets everything when it goes: for tests.
  static std::unique_ptr<state_store> in_memory();

  /// The same, but it begins with what the database in `folder` holds, where that can be read: for
  /// a device whose disk cannot be written.
  static std::unique_ptr<state_store> in_memory_from(const std::string& folder);

  ~state_store() override;

  /// For the log and the status. Empty: nothing was wrong.
  [[nodiscard]] const std::vector<state_notice>& notices() const noexcept;

  /// Calls `sink` from a writer's thread when writes begin to fail, with the failure, and when they
  /// succeed again. It must not block. At most one sink.
  void watch_health(std::function<void(const outcome<void>&)> sink);

  /// True from the start that set a database aside until the agent's end, and again at its next
  /// start unless `rebuilt` was called.
  [[nodiscard]] bool rebuilding() const override;
  /// What the device shows was taken back, durably.
  outcome<void> rebuilt();

  /// The folder, or "" for a store in memory.
  [[nodiscard]] const std::string& path() const noexcept;

  outcome<void> claim(const owned_target& t) override;
  outcome<void> release(const resource_id& owner, const std::string& target) override;
  [[nodiscard]] std::optional<owned_target> find(const resource_id& owner,
                                                 const std::string& target) const override;
  [[nodiscard]] std::vector<owned_target> of(const resource_id& owner) const override;
  [[nodiscard]] std::vector<owned_target> all() const override;

  outcome<void> remember(const resource_id& owner, const retry_counts& counts) override;
  outcome<void> forget(const resource_id& owner) override;
  [[nodiscard]] retry_counts recall(const resource_id& owner) const override;

  outcome<void> hold(const std::optional<resource_id>& what, const resource_hold& h) override;
  outcome<std::uint32_t> unhold(const std::optional<resource_id>& what) override;
  [[nodiscard]] std::optional<resource_hold> held(const resource_id& id,
                                                  timestamp now) const override;

  /// Records what became of an accepted generation, durably.
  outcome<void> save_ending(generation_number generation, std::uint32_t key_epoch,
                            generation_ending ending, const std::string& why = {});

  /// Records an accepted manifest, durably, as the newest; forgets those beyond history_length, but
  /// not the newest that converged.
  outcome<void> save_accepted(generation_number generation, std::uint32_t key_epoch,
                              const std::string& hash, const std::string& document);

  /// The manifest accepted last; nothing before the first.
  [[nodiscard]] outcome<std::optional<accepted_manifest>> accepted() const;

  /// The accepted manifests, newest first: history_length, or one more where the newest that
  /// converged is older.
  [[nodiscard]] outcome<std::vector<accepted_manifest>> history() const;

  /// Keeps a short text under a name, durably; an empty one takes it out.
  outcome<void> save_fact(const std::string& name, const std::string& value);

  /// What was kept under that name; empty: nothing.
  [[nodiscard]] outcome<std::string> fact(const std::string& name) const;

  /// How many commits this store has made; for tests and benchmarks of the group commit.
  [[nodiscard]] std::uint64_t commits() const noexcept;

private:
  class implementation;

  explicit state_store(std::unique_ptr<implementation> i);

  std::unique_ptr<implementation> impl_;
};

} // namespace harmony

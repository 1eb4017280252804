#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/ids.hpp"
#include "model/outcome.hpp"

namespace harmony {

/// A thing on the device that this agent created (or adopted) and may change and delete.
struct owned_target {
  resource_id owner;
  std::string target;  ///< the runtime's own name: path, unit, container
  bool created = true; ///< false: adopted, so it is left in place when it leaves the manifest
  std::string note;    ///< the reconciler's own memory, e.g. the stamp of the last restart

  friend bool operator==(const owned_target&, const owned_target&) = default;
};

/// What this agent owns, on the device's disk. Thread-safe; calls block until durable. Concurrent
/// claims share one commit.
class inventory {
public:
  virtual ~inventory() = default;

  /// Records `t` (new, or replacing the record of the same owner and target), durably. To be called
  /// before the thing is created, so that a crash in between leaves a claim without a thing and
  /// never a thing without a claim. Fails with `name_conflict` when another resource owns the
  /// target.
  virtual outcome<void> claim(const owned_target& t) = 0;

  /// Forgets the record, durably. To be called after the thing is gone. An unknown record is
  /// success.
  virtual outcome<void> release(const resource_id& owner, const std::string& target) = 0;

  /// The record of `target` that `owner` holds. Reads memory only.
  virtual std::optional<owned_target> find(const resource_id& owner,
                                           const std::string& target) const = 0;

  /// All records of `owner`.
  virtual std::vector<owned_target> of(const resource_id& owner) const = 0;

  virtual std::vector<owned_target> all() const = 0;

  /// Whether the former records were lost, so that what this agent made has to be taken back from
  /// what the device shows: by its marks, or because it equals its manifest.
  [[nodiscard]] virtual bool rebuilding() const { return false; }
};

} // namespace harmony

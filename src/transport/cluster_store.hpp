#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/outcome.hpp"
#include "transport/store.hpp"

namespace harmony {

/// What operators see of the failover clusters of a store, and ask of them. Calls wait for the
/// connection too, block for at most their timeout, and are thread-safe. They fail as a store's do;
/// with bucket_not_found where there is no such cluster.
class cluster_store {
public:
  using milliseconds = std::chrono::milliseconds;

  virtual ~cluster_store() = default;

  /// Makes the streams of a cluster where they are missing; `replicas` is 1 or 3. Fails with
  /// conflict where what is there is no safe place for a lease.
  virtual outcome<void> init(std::string_view cluster, int replicas, milliseconds timeout) = 0;

  /// Their names, sorted.
  virtual outcome<std::vector<std::string>> clusters(milliseconds timeout) = 0;

  /// The lease's record; nothing where there never was one. Fails with invalid_document where it
  /// was deleted.
  virtual outcome<std::optional<store_entry>> lease(std::string_view cluster,
                                                    milliseconds timeout) = 0;

  /// All keys that begin with `prefix` ("hb.", "history.", "cmd."), without it, and their values.
  virtual outcome<std::map<std::string, store_entry>>
  entries(std::string_view cluster, std::string_view prefix, milliseconds timeout) = 0;

  /// One key; nothing where it is absent or was deleted.
  virtual outcome<std::optional<store_entry>> get(std::string_view cluster, std::string_view key,
                                                  milliseconds timeout) = 0;

  /// Writes a new key; fails with conflict where it is there, or was.
  virtual outcome<std::uint64_t> create(std::string_view cluster, std::string_view key,
                                        std::string_view value, milliseconds timeout) = 0;

  /// Deletes a key if its revision is `expected`; fails with conflict otherwise.
  virtual outcome<void> remove(std::string_view cluster, std::string_view key,
                               std::uint64_t expected, milliseconds timeout) = 0;
};

/// Opens the clusters of a NATS server; fails with invalid_spec for another kind of store.
outcome<std::shared_ptr<cluster_store>> open_cluster_store(const store_options& options);

} // namespace harmony

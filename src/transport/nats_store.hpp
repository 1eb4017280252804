#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "transport/nats_link.hpp"
#include "transport/store.hpp"

namespace harmony {

/// The store in JetStream KV buckets of a NATS server, 2.9.10 or newer. docs/stores.md has the
/// subjects, and what a server must allow.
///
/// It reads with direct gets, writes with the key's last sequence as the condition, and learns of
/// changes from the bucket's republished headers, because a KV watch costs the server a consumer
/// and cannot be limited to one key.
class nats_store final : public store {
public:
  nats_store(const store_options& options, std::vector<nats::server> servers);
  ~nats_store() override;

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
  /// What a write is, apart from its attempts.
  struct write_request {
    bucket where;
    std::string key;
    std::string value;
    bool deletion = false;
    std::uint64_t expected = 0;

    friend bool operator==(const write_request&, const write_request&) = default;
  };

  /// A write whose fate is unknown: its message id is used again when the same is asked for again,
  /// so that the server answers with the first one's revision instead of a conflict.
  struct uncertain_write {
    write_request request;
    std::string message_id;
  };

  outcome<std::uint64_t> write(write_request request, milliseconds timeout);
  std::string message_id_for(const write_request& request);

  std::shared_ptr<nats::link> link_;
  const std::string nonce_; // tells this store's message ids from all others
  std::mutex mutex_;        // guards the two below
  std::uint64_t writes_ = 0;
  std::map<std::string, uncertain_write> uncertain_; // the newest of each key
};

} // namespace harmony

#include <utility>

#include "transport/cluster_store.hpp"
#include "transport/nats_clusters.hpp"

namespace harmony {

namespace {

using nats::link;

store_entry entry_of(nats::stored_message message) {
  return {std::move(message.value), message.sequence, message.written};
}

class nats_cluster_store final : public cluster_store {
public:
  nats_cluster_store(const store_options& options, std::vector<nats::server> servers)
    : link_(std::make_shared<link>(options, std::move(servers))) {
    link_->start();
  }
  ~nats_cluster_store() override { link_->close(); }
  nats_cluster_store(const nats_cluster_store&) = delete;
  nats_cluster_store& operator=(const nats_cluster_store&) = delete;

  outcome<void> init(std::string_view cluster, int replicas, milliseconds timeout) override {
    if (auto good = nats::check_cluster(cluster); !good)
      return good;
    return call<void>(timeout, [name = std::string{cluster}, replicas](const nats::session& made,
                                                                       link::deadline until) {
      return nats::make_cluster_streams(made, name, replicas, until);
    });
  }

  outcome<std::vector<std::string>> clusters(milliseconds timeout) override {
    return call<std::vector<std::string>>(timeout, nats::list_clusters);
  }

  outcome<std::optional<store_entry>> lease(std::string_view cluster,
                                            milliseconds timeout) override {
    using found = std::optional<store_entry>;
    return call<found>(timeout,
                       [name = std::string{cluster}](const nats::session& made,
                                                     link::deadline until) -> outcome<found> {
                         auto newest = nats::leader_read(made, nats::lease_stream_of(name),
                                                         nats::lease_subject_of(name), until);
                         if (!newest)
                           return newest.error();
                         if (!*newest)
                           return found{};
                         if ((*newest)->deletion)
                           return failure{ec::invalid_document,
                                          "the lease record of cluster '" + name + "' was deleted"};
                         return found{entry_of(std::move(**newest))};
                       });
  }

  outcome<std::map<std::string, store_entry>>
  entries(std::string_view cluster, std::string_view prefix, milliseconds timeout) override {
    using found = std::map<std::string, store_entry>;
    return call<found>(timeout,
                       [name = std::string{cluster}, begin = std::string{prefix}](
                         const nats::session& made, link::deadline until) -> outcome<found> {
                         const auto keys = nats::cluster_keys(made, name, begin, until);
                         if (!keys)
                           return keys.error();
                         found all;
                         for (const auto& key : *keys) {
                           auto newest = read(made, name, key, until);
                           if (!newest)
                             return newest.error();
                           if (*newest)
                             all.emplace(key.substr(begin.size()), std::move(**newest));
                         }
                         return all;
                       });
  }

  outcome<std::optional<store_entry>> get(std::string_view cluster, std::string_view key,
                                          milliseconds timeout) override {
    return call<std::optional<store_entry>>(
      timeout,
      [name = std::string{cluster}, of = std::string{key}](
        const nats::session& made, link::deadline until) { return read(made, name, of, until); });
  }

  outcome<std::uint64_t> create(std::string_view cluster, std::string_view key,
                                std::string_view value, milliseconds timeout) override {
    return write(change(cluster, key, value, 0, false), timeout);
  }

  outcome<void> remove(std::string_view cluster, std::string_view key, std::uint64_t expected,
                       milliseconds timeout) override {
    if (auto done = write(change(cluster, key, {}, expected, true), timeout); !done)
      return done.error();
    return {};
  }

private:
  static outcome<std::optional<store_entry>> read(const nats::session& made,
                                                  const std::string& cluster,
                                                  const std::string& key, link::deadline until) {
    auto newest = nats::leader_read(made, nats::cluster_stream_of(cluster),
                                    nats::cluster_prefix_of(cluster) + key, until);
    if (!newest)
      return newest.error();
    if (!*newest || (*newest)->deletion)
      return std::optional<store_entry>{};
    return std::optional{entry_of(std::move(**newest))};
  }

  static nats::conditional_write change(std::string_view cluster, std::string_view key,
                                        std::string_view value, std::uint64_t expected,
                                        bool deletion) {
    return {nats::cluster_stream_of(cluster),
            nats::cluster_prefix_of(cluster) + std::string{key},
            std::string{value},
            expected,
            false,
            deletion};
  }

  outcome<std::uint64_t> write(nats::conditional_write what, milliseconds timeout) {
    return call<std::uint64_t>(
      timeout, [what = std::move(what)](const nats::session& made, link::deadline until) {
        return nats::write_if(made, what, until);
      });
  }

  template <class T>
  outcome<T> call(milliseconds timeout,
                  std::function<outcome<T>(const nats::session&, link::deadline)> work) {
    const auto until = std::chrono::steady_clock::now() + timeout;
    [[maybe_unused]] const auto up = link_->newer_session(0, until); // or why not, by the call
    return link_->call<T>(
      {milliseconds{nats::left_until(until)}, {"$JS.API.", "$KV.PGHA_", nats::cluster_api}},
      [work = std::move(work)](const link::session_ptr& made, link::deadline end) {
        return work(*made, end);
      });
  }

  std::shared_ptr<link> link_;
};

} // namespace

outcome<std::shared_ptr<cluster_store>> open_cluster_store(const store_options& options) {
  auto servers = nats::parse_servers(options.url);
  if (!servers)
    return failure{ec::invalid_spec, "failover needs a NATS server, and '" + shown_url(options.url)
                                       + "' is none: give --store nats://… "
                                         "or tls://…"};
  return std::shared_ptr<cluster_store>{
    std::make_shared<nats_cluster_store>(options, std::move(*servers))};
}

} // namespace harmony

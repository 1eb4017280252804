#include "transport/nats_lease_store.hpp"

#include <utility>

#include "model/ids.hpp"
#include "transport/lease_core.hpp"

namespace harmony {

outcome<std::unique_ptr<nats_lease_store>> nats_lease_store::make(lease_store_options options) {
  if (auto good = nats::check_cluster(options.cluster); !good)
    return good.error();
  if (!is_name(options.node))
    return {ec::invalid_spec, "'" + options.node + "' is no name of a cluster's member"};
  auto servers = nats::parse_servers(options.how.url);
  if (!servers)
    return servers.error();
  auto made = std::make_shared<core>(std::move(options), std::move(*servers));
  return std::unique_ptr<nats_lease_store>{new nats_lease_store{std::move(made)}};
}

nats_lease_store::nats_lease_store(std::shared_ptr<core> inside) : core_(std::move(inside)) {}

nats_lease_store::~nats_lease_store() {
  close();
}

void nats_lease_store::open(failover::event_sink sink) {
  core_->open(std::move(sink));
}

void nats_lease_store::close() {
  core_->close();
}

void nats_lease_store::read(const failover::fx::read& what) {
  core_->read(what);
}

void nats_lease_store::cas(const failover::fx::cas& what) {
  core_->cas(what);
}

void nats_lease_store::publish(const failover::member_heartbeat& beat) {
  core_->publish(std::string{nats::member_beat_prefix} + core_->node(), write(beat));
}

void nats_lease_store::publish(const failover::history_entry& entry) {
  core_->publish(std::string{nats::cluster_history_prefix} + std::to_string(entry.epoch),
                 write(entry));
}

void nats_lease_store::consume(const std::string& command) {
  core_->consume(command);
}

} // namespace harmony

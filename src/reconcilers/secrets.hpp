#pragma once

// How a secretRef gets its value: behind the drivers' interface, in a copy of the declaration that
// lives as long as the operation. docs/secrets.md.

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reconcilers/driver.hpp"
#include "topology/monitor.hpp"
#include "topology/secrets.hpp"

namespace harmony {

/// Which targets of the device may have which secrets in them, so that a change of those is
/// noticed. One that is no longer in a target costs a look, so it is kept as long as the target.
class secret_uses {
public:
  explicit secret_uses(std::shared_ptr<secret_port> secrets) : secrets_(std::move(secrets)) {}

  void note(const std::string& target, const secret_ref& ref);
  void forget(const std::string& target);

  /// Differs when a secret in `target` may have another value.
  [[nodiscard]] std::string stamp_of(const std::string& target) const;

private:
  std::shared_ptr<secret_port> secrets_;
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<secret_ref>> uses_; ///< guarded by mutex_
};

/// A driver that is given the values of a declaration's secrets, and only while it works.
///
/// Invariants:
/// - a value is in no answer: where something repeats one, it is taken out;
/// - where a value cannot be had, nothing is changed on the device: what runs goes on, and the look
///   says why.
class secret_driver final : public driver {
public:
  secret_driver(std::shared_ptr<driver> inner, std::shared_ptr<secret_port> secrets,
                std::shared_ptr<secret_uses> uses)
    : inner_(std::move(inner)), secrets_(std::move(secrets)), uses_(std::move(uses)) {}

  [[nodiscard]] runtime_kind runtime() const override { return inner_->runtime(); }
  [[nodiscard]] std::string target(const resource& r) const override { return inner_->target(r); }
  [[nodiscard]] std::chrono::seconds apply_limit(const resource& r) const override {
    return inner_->apply_limit(r);
  }
  outcome<observation> observe(const desired<resource_spec>& want, op_context& ctx) override;
  outcome<void> apply(const desired<resource_spec>& want, const std::vector<change>& todo,
                      op_context& ctx) override;
  std::optional<failure> why_ended(const desired<resource_spec>& want, op_context& ctx) override;
  outcome<void> remove(const owned_target& owned, op_context& ctx) override {
    uses_->forget(owned.target);
    return inner_->remove(owned, ctx);
  }
  [[nodiscard]] bool fetches(const resource& r) const override { return inner_->fetches(r); }
  outcome<void> fetch(const desired<resource_spec>& want, op_context& ctx) override {
    return inner_->fetch(want, ctx);
  }
  [[nodiscard]] bool can_restart(const resource& r) const override {
    return inner_->can_restart(r);
  }
  outcome<logs_result> logs(const desired<resource_spec>& want, const log_query& query,
                            op_context& ctx) override;
  outcome<std::vector<owned_target>> marked(op_context& ctx) override {
    return inner_->marked(ctx);
  }
  outcome<std::vector<owned_target>> strays(op_context& ctx) override {
    return inner_->strays(ctx);
  }

private:
  /// A declaration with the values that could be had.
  struct resolved {
    desired<resource_spec> want;
    std::optional<failure> missing;
  };
  [[nodiscard]] resolved resolve(const desired<resource_spec>& want) const;

  std::shared_ptr<driver> inner_;
  std::shared_ptr<secret_port> secrets_;
  std::shared_ptr<secret_uses> uses_;
};

/// A monitor for which something happened to a target also when a secret in it may have changed.
class secret_monitor final : public runtime_monitor {
public:
  secret_monitor(std::shared_ptr<runtime_monitor> inner, std::shared_ptr<secret_uses> uses)
    : inner_(std::move(inner)), uses_(std::move(uses)) {}

  void start(on_hint sink) override { inner_->start(std::move(sink)); }
  void stop() override { inner_->stop(); }
  void watch(std::vector<std::string> targets) override { inner_->watch(std::move(targets)); }
  outcome<std::vector<runtime_fact>> relist(std::chrono::milliseconds timeout) override;
  [[nodiscard]] bool streaming() const override { return inner_->streaming(); }

private:
  std::shared_ptr<runtime_monitor> inner_;
  std::shared_ptr<secret_uses> uses_;
};

} // namespace harmony

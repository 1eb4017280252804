#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "core/policy.hpp"
#include "reconcilers/driver.hpp"

namespace harmony {

/// What this device's owner allows, and how to look where a path leads.
struct device_guard {
  device_policy policy;
  agent_own own;
  /// Every name of what is at a path and, with `below`, of what is mounted under it; the first is
  /// where its symlinks lead. Blocks.
  std::function<std::vector<std::string>(const std::string& path, bool below)> names_of;

  /// Why `r` may not be on this device, as far as its declaration tells; nothing: it may.
  [[nodiscard]] std::optional<failure> why_not(const resource& r) const;

  /// The same, as the device is now: with where its paths lead. Blocks.
  [[nodiscard]] std::optional<failure> why_not_now(const desired<resource_spec>& want) const;
};

/// A driver behind the policy: what that refuses is neither made nor fetched. What the declaration
/// alone shows is refused before anybody comes here; this looks, at every step, where paths lead.
/// Removing is always allowed.
class guarded_driver final : public driver {
public:
  guarded_driver(std::shared_ptr<driver> inner, std::shared_ptr<const device_guard> guard)
    : inner_(std::move(inner)), guard_(std::move(guard)) {}

  [[nodiscard]] runtime_kind runtime() const override { return inner_->runtime(); }
  [[nodiscard]] std::string target(const resource& r) const override { return inner_->target(r); }
  [[nodiscard]] std::chrono::seconds apply_limit(const resource& r) const override {
    return inner_->apply_limit(r);
  }
  outcome<observation> observe(const desired<resource_spec>& want, op_context& ctx) override {
    if (auto no = guard_->why_not_now(want))
      return observation{{}, {}, std::move(no)};
    return inner_->observe(want, ctx);
  }
  outcome<void> apply(const desired<resource_spec>& want, const std::vector<change>& todo,
                      op_context& ctx) override {
    if (auto no = guard_->why_not_now(want))
      return *no;
    return inner_->apply(want, todo, ctx);
  }
  std::optional<failure> why_ended(const desired<resource_spec>& want, op_context& ctx) override {
    return inner_->why_ended(want, ctx);
  }
  outcome<void> remove(const owned_target& owned, op_context& ctx) override {
    return inner_->remove(owned, ctx);
  }
  [[nodiscard]] bool fetches(const resource& r) const override { return inner_->fetches(r); }
  outcome<void> fetch(const desired<resource_spec>& want, op_context& ctx) override {
    if (auto no = guard_->why_not_now(want))
      return *no;
    return inner_->fetch(want, ctx);
  }
  [[nodiscard]] bool can_restart(const resource& r) const override {
    return inner_->can_restart(r);
  }
  outcome<logs_result> logs(const desired<resource_spec>& want, const log_query& query,
                            op_context& ctx) override {
    return inner_->logs(want, query, ctx);
  }
  outcome<std::vector<owned_target>> marked(op_context& ctx) override {
    return inner_->marked(ctx);
  }
  outcome<std::vector<owned_target>> strays(op_context& ctx) override {
    return inner_->strays(ctx);
  }

private:
  std::shared_ptr<driver> inner_;
  std::shared_ptr<const device_guard> guard_;
};

} // namespace harmony

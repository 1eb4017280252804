#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "reconcilers/reconciler.hpp"

namespace harmony {

/// What a look at a resource yields. No changes and no obstacle mean: it equals its desire.
struct observation {
  std::vector<change> changes;
  resource_state state;
  std::optional<failure>
    obstacle; ///< the plan's failure: a difference that the agent must not close
  std::optional<failure> cause =
    {}; ///< of a difference right after an apply, see driver::why_ended

  friend bool operator==(const observation&, const observation&) = default;
};

/// A reconciler with its types erased: what a supervisor drives. Calls block and are thread-safe.
class driver {
public:
  virtual ~driver() = default;
  [[nodiscard]] virtual runtime_kind runtime() const = 0;
  [[nodiscard]] virtual std::string target(const resource& r) const = 0;
  /// How long an apply of `r` may take; zero: as long as any.
  [[nodiscard]] virtual std::chrono::seconds apply_limit(const resource& /*r*/) const { return {}; }
  virtual outcome<observation> observe(const desired<resource_spec>& want, op_context& ctx) = 0;
  virtual outcome<void> apply(const desired<resource_spec>& want, const std::vector<change>& todo,
                              op_context& ctx) = 0;
  /// Why what an apply has just started does not run; nothing where its kind cannot tell.
  virtual std::optional<failure> why_ended(const desired<resource_spec>& /*want*/,
                                           op_context& /*ctx*/) {
    return {};
  }
  virtual outcome<void> remove(const owned_target& owned, op_context& ctx) = 0;

  /// Whether an apply of `r` needs something from elsewhere (an image, a download).
  [[nodiscard]] virtual bool fetches(const resource& r) const = 0;
  /// Brings that to the device, and changes nothing else.
  virtual outcome<void> fetch(const desired<resource_spec>& want, op_context& ctx) = 0;

  /// Whether `r` runs and can be made to run again.
  [[nodiscard]] virtual bool can_restart(const resource& r) const = 0;
  /// Lines of its log. Fails with not_found for a kind that has none.
  virtual outcome<logs_result> logs(const desired<resource_spec>& want, const log_query& query,
                                    op_context& ctx) = 0;

  /// What bears this agent's mark on the device, on record or not. Kinds without marks: nothing.
  virtual outcome<std::vector<owned_target>> marked(op_context& /*ctx*/) {
    return std::vector<owned_target>{};
  }

  /// Of that, what is on no record and has never been in use: the runtime was asked for it, and
  /// made it after the agent had given it up. What was in use may be somebody's by now.
  virtual outcome<std::vector<owned_target>> strays(op_context& /*ctx*/) {
    return std::vector<owned_target>{};
  }
};

/// The driver of reconciler R. Adds what is the same for all kinds: what a resource owns and is no
/// longer its target (its path or unit name changed) is removed after the new one is in place.
template <reconciler R>
class driver_of final : public driver {
public:
  template <class... Args>
  explicit driver_of(Args&&... args) : reconciler_(std::forward<Args>(args)...) {}

  [[nodiscard]] runtime_kind runtime() const override { return R::runtime; }

  [[nodiscard]] std::string target(const resource& r) const override {
    return R::target(typed({r.id, r.spec, r.revision, {}}));
  }

  [[nodiscard]] std::chrono::seconds apply_limit(const resource& r) const override {
    if constexpr (requires(const desired<spec_type>& want) { R::apply_limit(want); })
      return R::apply_limit(typed({r.id, r.spec, r.revision, {}}));
    else
      return driver::apply_limit(r);
  }

  outcome<observation> observe(const desired<resource_spec>& want, op_context& ctx) override {
    const auto mine = typed(want);
    auto seen = reconciler_.observe(mine, ctx);
    if (!seen)
      return seen.error();
    auto changes = R::plan(mine, *seen);
    if (!changes)
      return observation{{}, R::report(*seen), changes.error()};
    for (const auto& left : leftovers(mine, ctx))
      changes->push_back({action::remove, std::string{leftover_field}, left.target, {}});
    return observation{std::move(*changes), R::report(*seen), {}};
  }

  outcome<void> apply(const desired<resource_spec>& want, const std::vector<change>& todo,
                      op_context& ctx) override {
    const auto mine = typed(want);
    std::vector<change> own;
    for (const auto& c : todo)
      if (c.field != leftover_field)
        own.push_back(c);
    if (!own.empty())
      if (auto done = reconciler_.apply(mine, own, ctx); !done)
        return done;
    for (const auto& left : leftovers(mine, ctx))
      if (auto done = reconciler_.remove(left, ctx); !done)
        return done;
    return {};
  }

  std::optional<failure> why_ended(const desired<resource_spec>& want, op_context& ctx) override {
    if constexpr (starter<R>)
      return reconciler_.why_ended(typed(want), ctx);
    else
      return driver::why_ended(want, ctx);
  }

  outcome<void> remove(const owned_target& owned, op_context& ctx) override {
    return reconciler_.remove(owned, ctx);
  }

  [[nodiscard]] bool fetches(const resource& r) const override {
    if constexpr (fetcher<R>)
      return R::fetches(std::get<spec_type>(r.spec));
    else
      return false;
  }

  outcome<void> fetch(const desired<resource_spec>& want, op_context& ctx) override {
    if constexpr (fetcher<R>)
      return reconciler_.fetch(typed(want), ctx);
    else
      return {};
  }

  [[nodiscard]] bool can_restart(const resource& r) const override {
    if constexpr (restarter<R>)
      return R::can_restart(std::get<spec_type>(r.spec));
    else
      return false;
  }

  outcome<logs_result> logs(const desired<resource_spec>& want, const log_query& query,
                            op_context& ctx) override {
    if constexpr (logger<R>)
      return reconciler_.logs(typed(want), query, ctx);
    else
      return {ec::not_found, want.id.str() + " has no log: nothing of its kind runs"};
  }

  outcome<std::vector<owned_target>> marked(op_context& ctx) override {
    if constexpr (requires(R & r) { r.marked(ctx); })
      return reconciler_.marked(ctx);
    else
      return driver::marked(ctx);
  }

  outcome<std::vector<owned_target>> strays(op_context& ctx) override {
    if constexpr (requires(R & r) { r.strays(ctx); })
      return reconciler_.strays(ctx);
    else
      return driver::strays(ctx);
  }

private:
  using spec_type = typename R::spec_type;
  static constexpr std::string_view leftover_field = "(former target)";

  static desired<spec_type> typed(const desired<resource_spec>& want) {
    return {want.id,       std::get<spec_type>(want.spec),
            want.revision, want.restart_stamp,
            want.origin,   want.secret_stamp};
  }

  static std::vector<owned_target> leftovers(const desired<spec_type>& mine,
                                             const op_context& ctx) {
    auto all = ctx.owned.of(mine.id);
    std::erase_if(all, [&](const owned_target& t) { return t.target == R::target(mine); });
    return all;
  }

  R reconciler_;
};

} // namespace harmony

#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reconcilers/inventory.hpp"

namespace harmony::test {

/// An inventory in memory. `before` sees every change before it is made, and may fail it; `after`
/// sees it made.
class memory_inventory final : public inventory {
public:
  std::function<outcome<void>(const char* what)> before = [](const char*) {
    return outcome<void>{};
  };
  std::function<void(const char* what)> after = [](const char*) {};

  outcome<void> claim(const owned_target& t) override {
    if (auto may = before("claim"); !may)
      return may;
    {
      const std::lock_guard lock{mutex_};
      for (const auto& [key, other] : records_)
        if (key.second == t.target && key.first != t.owner)
          return {ec::name_conflict, "'" + t.target + "' belongs to " + key.first.str()};
      records_[{t.owner, t.target}] = t;
    }
    after("claim");
    return {};
  }

  outcome<void> release(const resource_id& owner, const std::string& target) override {
    if (auto may = before("release"); !may)
      return may;
    {
      const std::lock_guard lock{mutex_};
      records_.erase({owner, target});
    }
    after("release");
    return {};
  }

  [[nodiscard]] std::optional<owned_target> find(const resource_id& owner,
                                                 const std::string& target) const override {
    const std::lock_guard lock{mutex_};
    const auto found = records_.find({owner, target});
    return found == records_.end() ? std::nullopt : std::optional{found->second};
  }

  [[nodiscard]] std::vector<owned_target> of(const resource_id& owner) const override {
    auto mine = all();
    std::erase_if(mine, [&](const owned_target& t) { return t.owner != owner; });
    return mine;
  }

  [[nodiscard]] std::vector<owned_target> all() const override {
    const std::lock_guard lock{mutex_};
    std::vector<owned_target> out;
    for (const auto& [key, record] : records_)
      out.push_back(record);
    return out;
  }

  [[nodiscard]] bool rebuilding() const override { return lost; }
  bool lost = false; ///< the records before these

private:
  mutable std::mutex mutex_;
  std::map<std::pair<resource_id, std::string>, owned_target> records_;
};

} // namespace harmony::test

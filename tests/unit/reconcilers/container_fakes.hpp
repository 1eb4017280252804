#pragma once

// A container runtime and an inventory in memory, which can fail or "die" at any of their calls.

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "reconcilers/inventory.hpp"
#include "topology/containers.hpp"

namespace harmony::test::containers {

/// Thrown where the process is killed.
struct killed {};

/// What shall happen at the n-th call (from 0) that passes here.
struct saboteur {
  enum class kind { none, fail_before, fail_after, kill_before, kill_after };
  kind what = kind::none;
  int at = -1;
  int calls = 0;

  /// Runs `effect` or not; true where the call shall then report a failure.
  template <class Effect>
  bool strike(Effect effect) {
    const bool now = calls++ == at;
    if (now && what == kind::kill_before)
      throw killed{};
    if (now && what == kind::fail_before)
      return true;
    effect();
    if (now && what == kind::kill_after)
      throw killed{};
    return now && what == kind::fail_after;
  }
};

inline failure struck() {
  return {ec::runtime_unavailable, "struck by the test"};
}

class memory_inventory final : public inventory {
public:
  explicit memory_inventory(saboteur* hand = nullptr) : hand_(hand) {}

  outcome<void> claim(const owned_target& t) override {
    const auto found = entries_.find(t.target);
    if (found != entries_.end() && found->second.owner != t.owner)
      return {ec::name_conflict, "owned by another"};
    return act([&] {
      ++writes;
      entries_[t.target] = t;
    });
  }
  outcome<void> release(const resource_id& owner, const std::string& target) override {
    return act([&] {
      const auto found = entries_.find(target);
      if (found != entries_.end() && found->second.owner == owner)
        entries_.erase(found);
    });
  }
  std::optional<owned_target> find(const resource_id& owner,
                                   const std::string& target) const override {
    const auto found = entries_.find(target);
    if (found == entries_.end() || found->second.owner != owner)
      return std::nullopt;
    return found->second;
  }
  std::vector<owned_target> of(const resource_id& owner) const override {
    std::vector<owned_target> mine;
    for (const auto& [target, entry] : entries_)
      if (entry.owner == owner)
        mine.push_back(entry);
    return mine;
  }
  std::vector<owned_target> all() const override {
    std::vector<owned_target> list;
    for (const auto& [target, entry] : entries_)
      list.push_back(entry);
    return list;
  }

  int writes = 0;

private:
  template <class Effect>
  outcome<void> act(Effect effect) {
    if (hand_ == nullptr) {
      effect();
      return {};
    }
    if (hand_->strike(effect))
      return {ec::disk_full, "struck by the test"};
    return {};
  }

  saboteur* hand_;
  std::map<std::string, owned_target> entries_;
};

class fake_runtime : public container_runtime {
public:
  explicit fake_runtime(saboteur* hand = nullptr) : hand_(hand != nullptr ? hand : &idle_) {}

  // The world.
  std::map<std::string, std::string> images;   ///< local: reference -> id
  std::map<std::string, std::string> registry; ///< reference -> id
  std::map<std::string, container_info> all;   ///< by name
  std::map<std::string, container_spec> specs; ///< by name
  std::set<int> taken_ports;
  std::vector<std::string> log; ///< what changed the world, in order
  std::string words;            ///< what every container wrote last

  outcome<void> ping(const call_limits&) override { return {}; }

  outcome<std::optional<container_info>> inspect(const std::string& name,
                                                 const call_limits&) override {
    std::optional<container_info> found;
    if (hand_->strike([&] {
          if (const auto* info = find(name))
            found = *info;
        }))
      return struck();
    return found;
  }

  outcome<std::string> create(const std::string& name, const container_spec& spec,
                              const std::map<std::string, std::string>& labels,
                              const call_limits&) override {
    outcome<std::string> result = struck();
    const bool lost = hand_->strike([&] { result = create_now(name, spec, labels); });
    if (lost)
      return struck();
    return result;
  }

  outcome<void> start(const std::string& id, const call_limits&) override {
    outcome<void> result;
    if (hand_->strike([&] { result = start_now(id); }))
      return struck();
    return result;
  }

  outcome<void> stop(const std::string& id, std::chrono::seconds, const call_limits&) override {
    if (hand_->strike([&] {
          log.emplace_back("stop");
          if (auto* info = find(id)) {
            info->status = container_status::exited;
            info->pid = 0;
          }
        }))
      return struck();
    return {};
  }

  outcome<void> resume(const std::string& id, const call_limits&) override {
    if (hand_->strike([&] {
          log.emplace_back("resume");
          find(id)->status = container_status::running;
        }))
      return struck();
    return {};
  }

  outcome<void> remove(const std::string& id, std::chrono::seconds, const call_limits&) override {
    if (hand_->strike([&] {
          log.emplace_back("remove");
          if (const auto* info = find(id))
            all.erase(std::string{info->name});
        }))
      return struck();
    return {};
  }

  outcome<std::optional<std::string>> image(const std::string& reference,
                                            const call_limits&) override {
    std::optional<std::string> found;
    if (hand_->strike([&] {
          if (const auto at = images.find(reference); at != images.end())
            found = at->second;
        }))
      return struck();
    return found;
  }

  outcome<std::string> pull(const std::string& reference, const call_limits&) override {
    outcome<std::string> result{ec::image_not_found, "no such image in the registry"};
    if (hand_->strike([&] {
          log.emplace_back("pull");
          if (const auto at = registry.find(reference); at != registry.end()) {
            images[reference] = at->second;
            result = at->second;
          }
        }))
      return struck();
    return result;
  }

  outcome<std::vector<container_info>> list(const std::string& label, const call_limits&) override {
    std::vector<container_info> found;
    const auto sign = label.find('=');
    for (const auto& [name, info] : all) {
      const auto at = info.labels.find(label.substr(0, sign));
      if (at != info.labels.end() && at->second == label.substr(sign + 1))
        found.push_back(info);
    }
    return found;
  }

  outcome<logs_result> logs(const std::string&, const log_query&, const call_limits&) override {
    return logs_result{};
  }
  outcome<std::string> last_words(const std::string&, unsigned, std::size_t,
                                  const call_limits&) override {
    return words;
  }

  outcome<process_result> exec(const std::string&, const std::vector<std::string>&, std::size_t,
                               const call_limits&) override {
    return {ec::container_failed, "no commands here"};
  }

  outcome<void> events(const std::string&, const std::function<void()>&,
                       const std::function<void(const container_event&)>&,
                       const std::stop_token&) override {
    return {ec::runtime_unavailable, "no stream"};
  }

  container_info* find(const std::string& name_or_id) {
    for (auto& [name, info] : all)
      if (name == name_or_id || info.id == name_or_id)
        return &info;
    return nullptr;
  }

private:
  outcome<std::string> create_now(const std::string& name, const container_spec& spec,
                                  const std::map<std::string, std::string>& labels) {
    const auto image_at = images.find(spec.image);
    if (image_at == images.end())
      return {ec::image_not_found, "image not known"};
    if (all.count(name) != 0)
      return {ec::name_conflict, "name in use"};
    log.emplace_back("create");
    container_info info;
    info.id = "id" + std::to_string(++created_);
    info.name = name;
    info.image = spec.image;
    info.image_id = image_at->second;
    info.labels = labels;
    info.status = container_status::created;
    all[name] = info;
    specs[name] = spec;
    return info.id;
  }

  outcome<void> start_now(const std::string& id) {
    auto* info = find(id);
    if (info == nullptr)
      return {ec::not_found, "no such container"};
    for (const auto& port : specs[info->name].ports)
      if (taken_ports.count(port.host) != 0)
        return {ec::port_in_use, "port taken"};
    if (info->status == container_status::running)
      return {};
    log.emplace_back("start");
    info->status = container_status::running;
    info->pid = 1000 + ++started_;
    info->started = "2026-01-01T00:00:00.000Z";
    return {};
  }

  saboteur idle_;
  saboteur* hand_;
  int created_ = 0;
  int started_ = 0;
};

struct device {
  fake_runtime& runtime;
  container_runtime& containers() { return runtime; }
};

} // namespace harmony::test::containers

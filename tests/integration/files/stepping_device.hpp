#pragma once

#include <functional>
#include <string>
#include <utility>

#include "reconcilers/inventory.hpp"
#include "topology/files_posix.hpp"

namespace harmony::test {

/// Called before each step that changes something, with its name.
using before_step = std::function<void(const std::string& step)>;

/// The real file system, which says before each change what it is about to do.
class stepping_files : public file_system {
public:
  explicit stepping_files(before_step before) : before_(std::move(before)) {}

  outcome<place> open_place(const std::string& path) override { return real_.open_place(path); }
  outcome<file_info> look(const place& at) override { return real_.look(at); }
  outcome<file_info> inspect(const place& at, const op_limits& limits) override {
    return real_.inspect(at, limits);
  }
  outcome<temporary> create_temporary(const place& at, const std::string& name) override {
    before_("create_temporary");
    return real_.create_temporary(at, name);
  }
  outcome<void> write(const temporary& file, std::string_view bytes) override {
    before_("write");
    const auto half = bytes.size() / 2;
    if (auto done = real_.write(file, bytes.substr(0, half)); !done)
      return done;
    before_("write the other half");
    return real_.write(file, bytes.substr(half));
  }
  outcome<void> set_owner(const temporary& file, account_ids ids) override {
    before_("set_owner");
    return real_.set_owner(file, ids);
  }
  outcome<void> set_mode(const temporary& file, std::uint32_t mode) override {
    before_("set_mode");
    return real_.set_mode(file, mode);
  }
  outcome<void> sync(const temporary& file) override {
    before_("sync");
    return real_.sync(file);
  }
  outcome<void> publish(const place& at, const temporary& file, bool may_replace) override {
    before_("publish");
    return real_.publish(at, file, may_replace);
  }
  outcome<void> discard(const place& at, const std::string& name) override {
    before_("discard");
    return real_.discard(at, name);
  }
  outcome<void> sync_folder(const place& at) override {
    before_("sync_folder");
    return real_.sync_folder(at);
  }
  outcome<void> amend(const place& at, std::optional<account_ids> ids,
                      std::optional<std::uint32_t> mode) override {
    before_("amend");
    return real_.amend(at, ids, mode);
  }
  outcome<void> remove_file(const place& at) override {
    before_("remove_file");
    return real_.remove_file(at);
  }
  outcome<void> make_folder(const place& at) override {
    before_("make_folder");
    return real_.make_folder(at);
  }
  outcome<bool> remove_folder(const place& at) override {
    before_("remove_folder");
    return real_.remove_folder(at);
  }
  outcome<account_ids> resolve(const std::string& owner, const std::string& group) override {
    return real_.resolve(owner, group);
  }
  std::string user_name(uid_t uid) override { return real_.user_name(uid); }
  std::string group_name(gid_t gid) override { return real_.group_name(gid); }

private:
  before_step before_;
  posix_files real_;
};

/// A device whose file system is a `stepping_files`.
class stepping_device {
public:
  explicit stepping_device(before_step before) : files_(std::move(before)) {}
  stepping_files& files() noexcept { return files_; }

private:
  stepping_files files_;
};

/// An inventory that says before each change what it is about to do.
class stepping_inventory final : public inventory {
public:
  stepping_inventory(inventory& real, before_step before)
    : real_(real), before_(std::move(before)) {}

  outcome<void> claim(const owned_target& t) override {
    before_("claim");
    return real_.claim(t);
  }
  outcome<void> release(const resource_id& owner, const std::string& target) override {
    before_("release");
    return real_.release(owner, target);
  }
  [[nodiscard]] std::optional<owned_target> find(const resource_id& owner,
                                                 const std::string& target) const override {
    return real_.find(owner, target);
  }
  [[nodiscard]] std::vector<owned_target> of(const resource_id& owner) const override {
    return real_.of(owner);
  }
  [[nodiscard]] std::vector<owned_target> all() const override { return real_.all(); }

private:
  inventory& real_;
  before_step before_;
};

} // namespace harmony::test

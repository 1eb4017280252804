#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/stat.h>

#include "reconcilers/inventory.hpp"
#include "reconcilers/reconciler.hpp"
#include "support/temp_dir.hpp"
#include "topology/files_posix.hpp"

namespace harmony::test {

/// An inventory that only remembers, and counts what it was told.
class plain_inventory final : public inventory {
public:
  outcome<void> claim(const owned_target& t) override {
    if (refuse)
      return *refuse;
    for (const auto& [key, known] : records_)
      if (key.second == t.target && key.first != t.owner)
        return {ec::name_conflict, "'" + t.target + "' is managed by " + key.first.str()};
    ++claims;
    records_[{t.owner, t.target}] = t;
    return {};
  }
  outcome<void> release(const resource_id& owner, const std::string& target) override {
    ++releases;
    records_.erase({owner, target});
    return {};
  }
  std::optional<owned_target> find(const resource_id& owner,
                                   const std::string& target) const override {
    const auto it = records_.find({owner, target});
    return it == records_.end() ? std::nullopt : std::optional{it->second};
  }
  std::vector<owned_target> of(const resource_id& owner) const override {
    std::vector<owned_target> found;
    for (const auto& [key, t] : records_)
      if (key.first == owner)
        found.push_back(t);
    return found;
  }
  std::vector<owned_target> all() const override {
    std::vector<owned_target> found;
    for (const auto& entry : records_)
      found.push_back(entry.second);
    return found;
  }

  [[nodiscard]] bool rebuilding() const override { return lost; }

  bool lost = false;             ///< the records before these
  std::optional<failure> refuse; ///< what the next claims fail with
  int claims = 0;
  int releases = 0;

private:
  std::map<std::pair<resource_id, std::string>, owned_target> records_;
};

/// A private folder with what a test needs to look at files in it.
class file_world {
public:
  std::string operator/(const std::string& name) const { return (dir_ / name).string(); }
  [[nodiscard]] std::string root() const { return dir_.str(); }

  /// Writes a file as somebody else would.
  void write(const std::string& name, const std::string& text, mode_t mode = 0644) const {
    std::ofstream{*this / name, std::ios::binary | std::ios::trunc} << text;
    ::chmod((*this / name).c_str(), mode);
  }

  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream in{*this / name, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }

  [[nodiscard]] struct ::stat stat(const std::string& name) const {
    struct ::stat s {};
    if (::lstat((*this / name).c_str(), &s) != 0)
      s.st_mode = 0;
    return s;
  }

  [[nodiscard]] bool exists(const std::string& name) const { return stat(name).st_mode != 0; }
  [[nodiscard]] unsigned mode(const std::string& name) const { return stat(name).st_mode & 07777; }

  /// Names in the root, sorted: nothing may be left over.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& e : std::filesystem::directory_iterator{dir_.path()})
      all.push_back(e.path().filename().string());
    std::sort(all.begin(), all.end());
    return all;
  }

private:
  temp_dir dir_;
};

} // namespace harmony::test

#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "topology/packages.hpp"

namespace harmony::test {

/// A package manager in memory. Like dpkg, it can be cut off between unpacking and setting up.
class fake_packages final : public package_manager {
public:
  std::map<std::string, package_info> installed;
  std::map<std::string, std::set<std::string>> lists; ///< package -> versions
  std::map<std::string, std::set<std::string>> world; ///< what `refresh` finds
  std::map<std::string, std::string> needed_by;       ///< package -> who needs it
  std::set<std::string> broken_scripts;               ///< packages that cannot be set up
  bool interrupted = false;
  std::optional<failure> no_refresh;
  std::function<void(const std::string&)> before = [](const std::string&) {};
  std::vector<std::string> calls;

  outcome<std::vector<package_info>> look(const std::vector<std::string>& packages) override {
    std::vector<package_info> found;
    for (const auto& each : packages) {
      const auto it = installed.find(each);
      found.push_back(it == installed.end() ? package_info{} : it->second);
      found.back().interrupted = interrupted;
    }
    return found;
  }

  outcome<void> install(const package_request& r, const op_limits& limits) override {
    calls.push_back("install " + r.package + (r.version.empty() ? "" : "=" + r.version)
                    + (r.repair ? " repair" : ""));
    if (auto go_on = limits.check("installing"); !go_on)
      return go_on;
    if (interrupted)
      return {ec::package_failed, "dpkg was interrupted"};
    const auto known = lists.find(r.package);
    if (known == lists.end() || known->second.empty())
      return {ec::package_not_found, "no package '" + r.package + "'"};
    const auto version = r.version.empty() ? *known->second.rbegin() : r.version;
    if (known->second.count(version) == 0)
      return {ec::package_not_found, "no version '" + version + "'"};
    step("unpack");
    interrupted = true;
    put(r.package, package_condition::broken, version, "half-installed");
    step("unpacked");
    put(r.package, package_condition::unconfigured, version, "unpacked");
    step("set up");
    return set_up();
  }

  outcome<void> refresh(const op_limits& /*limits*/) override {
    calls.emplace_back("refresh");
    if (no_refresh)
      return *no_refresh;
    lists = world;
    return {};
  }

  outcome<void> remove(const std::string& package, const op_limits& /*limits*/) override {
    calls.push_back("remove " + package);
    if (const auto who = needed_by.find(package); who != needed_by.end())
      return {ec::package_failed, "'" + who->second + "' depends on it"};
    step("remove");
    put(package, package_condition::broken, installed[package].version, "half-installed");
    step("removed");
    installed.erase(package);
    return {};
  }

  outcome<void> finish(const op_limits& /*limits*/) override {
    calls.emplace_back("finish");
    step("finish");
    return set_up();
  }

  void put(const std::string& package, package_condition c, const std::string& version,
           const std::string& status) {
    installed[package] = {c, version, status, false};
  }

private:
  void step(const std::string& what) { before(what); }

  outcome<void> set_up() {
    interrupted = false;
    outcome<void> done;
    for (auto& [name, info] : installed) {
      if (info.condition != package_condition::unconfigured)
        continue;
      if (broken_scripts.count(name) != 0) {
        info.status = "half-configured";
        done = failure{ec::package_failed, "the script of '" + name + "' failed"};
        continue;
      }
      info.condition = package_condition::installed;
      info.status = "installed";
    }
    return done;
  }
};

} // namespace harmony::test

#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace harmony::test {

/// Three generations that make, change and remove resources, and what must then be true of the
/// device.
///
///   1: makes everything   2: changes some, removes some, keeps some   3: removes the rest
///
/// Takes away with itself whatever a failed run left on the device.
class scenario {
public:
  static constexpr unsigned last_generation = 3;

  scenario() = default;
  virtual ~scenario() = default;
  scenario(const scenario&) = delete;
  scenario& operator=(const scenario&) = delete;

  /// Empty: a directory store.
  [[nodiscard]] virtual std::string store_url() const { return {}; }
  /// How long an operation of the agent's may take where a call hangs, which it then does for twice
  /// as long.
  [[nodiscard]] virtual std::chrono::milliseconds limit() const {
    return std::chrono::milliseconds{2000};
  }
  /// Before the agent's first start on `state`, its folder.
  virtual void set_up(const std::filesystem::path& /*state*/) {}

  /// The JSON list of resources.
  [[nodiscard]] virtual std::string resources(unsigned generation) const = 0;

  /// The violations of a device whose status just said Converged at `generation`: what is not in
  /// place, what ran too often, what is nobody's, and what was touched and is not to be.
  std::vector<std::string> violations(unsigned generation) {
    found_.clear();
    check(generation);
    return std::move(found_);
  }

protected:
  virtual void check(unsigned generation) = 0;
  void expect(const std::string& what, const std::string& wanted, const std::string& found) {
    if (wanted != found)
      found_.push_back(what + " is '" + found + "', not '" + wanted + "'");
  }
  /// It is what it was when it was first looked at.
  void expect_kept(const std::string& what, const std::string& found) {
    expect(what, kept_.try_emplace(what, found).first->second, found);
  }

private:
  std::vector<std::string> found_;
  std::map<std::string, std::string> kept_; ///< identities that must not change
};

/// A scenario of the matrix, and the fault points that it must reach.
struct scenario_kind {
  std::string name;
  std::vector<std::string> points; ///< what their names begin with
  std::function<void()> prepare;   ///< once a device
  std::function<std::unique_ptr<scenario>()> make;

  [[nodiscard]] bool reaches(const std::string& point) const;
};

const std::vector<scenario_kind>& scenarios();

scenario_kind workloads();      ///< files, units, containers, jobs, an account; a directory store
scenario_kind nats_workloads(); ///< the same over a nats-server
scenario_kind remote_content(); ///< files from a web server, images from a registry
scenario_kind packages();
scenario_kind network_links();

} // namespace harmony::test

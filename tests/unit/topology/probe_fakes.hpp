#pragma once

#include <optional>
#include <string>
#include <vector>

#include "topology/containers.hpp"
#include "topology/systemd.hpp"

namespace harmony::test {

/// A service manager of which only the list can be had; every unit is as `row` says.
class listed_units final : public systemd_port {
public:
  unit_row row{"", "loaded", "active", "running", "", 0};
  std::optional<failure> broken;
  std::vector<std::string> asked;

  outcome<std::vector<unit_row>> list(const std::vector<std::string>& units,
                                      const wait_limit&) override {
    asked.insert(asked.end(), units.begin(), units.end());
    if (broken)
      return *broken;
    return std::vector<unit_row>(units.size(), row);
  }

  [[nodiscard]] const std::filesystem::path& unit_folder() const override { return folder_; }
  [[nodiscard]] std::string_view journal_command() const override { return "journalctl -u"; }
  outcome<unit_properties> properties(const std::string&, bool, const wait_limit&) override {
    return no();
  }
  outcome<bool> needs_reload(const std::string&, const wait_limit&) override { return no(); }
  outcome<unit_result> result(const std::string&, const wait_limit&) override { return no(); }
  outcome<std::string> run(unit_job, const std::string&, const wait_limit&) override {
    return no();
  }
  outcome<void> reset_failed(const std::string&, const wait_limit&) override { return no(); }
  outcome<void> enable(const std::string&, const wait_limit&) override { return no(); }
  outcome<void> disable(const std::string&, const wait_limit&) override { return no(); }
  outcome<void> reload(const wait_limit&) override { return no(); }

private:
  static failure no() { return {ec::internal, "a probe only lists"}; }

  std::filesystem::path folder_;
};

/// A container runtime that only runs commands.
class commanded_container final : public container_runtime {
public:
  outcome<process_result> answer = process_result{};
  std::vector<std::string> asked; ///< "container: program argument"

  outcome<process_result> exec(const std::string& name, const std::vector<std::string>& command,
                               std::size_t, const call_limits&) override {
    asked.push_back(name + ":");
    for (const auto& word : command)
      asked.back() += " " + word;
    return answer;
  }

  outcome<void> ping(const call_limits&) override { return no(); }
  outcome<std::optional<container_info>> inspect(const std::string&, const call_limits&) override {
    return no();
  }
  outcome<std::string> create(const std::string&, const container_spec&,
                              const std::map<std::string, std::string>&,
                              const call_limits&) override {
    return no();
  }
  outcome<void> start(const std::string&, const call_limits&) override { return no(); }
  outcome<void> stop(const std::string&, std::chrono::seconds, const call_limits&) override {
    return no();
  }
  outcome<void> resume(const std::string&, const call_limits&) override { return no(); }
  outcome<void> remove(const std::string&, std::chrono::seconds, const call_limits&) override {
    return no();
  }
  outcome<std::optional<std::string>> image(const std::string&, const call_limits&) override {
    return no();
  }
  outcome<std::string> pull(const std::string&, const call_limits&) override { return no(); }
  outcome<std::vector<container_info>> list(const std::string&, const call_limits&) override {
    return no();
  }
  outcome<logs_result> logs(const std::string&, const log_query&, const call_limits&) override {
    return failure{ec::internal, "not asked for"};
  }
  outcome<std::string> last_words(const std::string&, unsigned, std::size_t,
                                  const call_limits&) override {
    return no();
  }
  outcome<void> events(const std::string&, const std::function<void()>&,
                       const std::function<void(const container_event&)>&,
                       const std::stop_token&) override {
    return no();
  }

private:
  static failure no() { return {ec::internal, "a probe only runs commands"}; }
};

} // namespace harmony::test

#pragma once

#include <cstdint>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "topology/systemd.hpp"
#include "topology/systemd_config.hpp"
#include "topology/systemd_transient.hpp"

namespace harmony {

class systemd_loop;

/// A real service manager over D-Bus. Connects in the background, and again for ever; while it is
/// away, calls fail with runtime_unavailable. No call may be under way when it is destroyed.
class systemd_manager final : public systemd_port, public transient_port, public systemd_events {
public:
  explicit systemd_manager(const systemd_config& config);
  ~systemd_manager() override;
  systemd_manager(const systemd_manager&) = delete;
  systemd_manager& operator=(const systemd_manager&) = delete;

  [[nodiscard]] const std::filesystem::path& unit_folder() const override { return folder_; }
  [[nodiscard]] std::string_view journal_command() const override;

  outcome<unit_properties> properties(const std::string& unit, bool with_file_state,
                                      const wait_limit& limit) override;
  outcome<bool> needs_reload(const std::string& unit, const wait_limit& limit) override;
  outcome<unit_result> result(const std::string& unit, const wait_limit& limit) override;
  outcome<std::string> run(unit_job what, const std::string& unit,
                           const wait_limit& limit) override;
  outcome<void> reset_failed(const std::string& unit, const wait_limit& limit) override;
  outcome<void> enable(const std::string& unit, const wait_limit& limit) override;
  outcome<void> disable(const std::string& unit, const wait_limit& limit) override;
  outcome<void> reload(const wait_limit& limit) override;
  outcome<std::vector<unit_row>> list(const std::vector<std::string>& units,
                                      const wait_limit& limit) override;

  [[nodiscard]] const std::filesystem::path& output_folder() const override { return output_; }
  outcome<void> make_output_folder(const wait_limit& limit) override;
  outcome<void> start_transient(const transient_unit& unit, const wait_limit& limit) override;
  outcome<std::optional<transient_run>> run_of(const std::string& unit,
                                               const wait_limit& limit) override;
  outcome<std::optional<transient_run>> await_end(const std::string& unit,
                                                  const wait_limit& limit) override;
  outcome<void> discard(const std::string& unit, const wait_limit& limit) override;

  void listen(on_event sink) override;
  void watch_units(std::vector<std::string> units) override;
  [[nodiscard]] bool listening() const override;

  /// Reloads that this manager was asked for; fewer than `reload` calls when they were shared.
  [[nodiscard]] std::uint64_t reloads() const;

private:
  outcome<unit_properties> with_fresh_state(unit_properties p, const std::string& unit,
                                            const wait_limit& limit);

  systemd_config::scope scope_;
  std::filesystem::path folder_;
  std::filesystem::path output_;
  std::shared_ptr<systemd_loop> loop_; ///< shared with its thread, which may outlive this
  std::future<void> ended_;
  std::thread thread_;
};

} // namespace harmony

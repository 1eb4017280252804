#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "support/temp_dir.hpp"
#include "topology/systemd.hpp"

namespace harmony::test {

/// A service manager in memory on a real unit folder. It loads files when it meets a unit and keeps
/// what it loaded until a reload, as systemd does. The content decides what a unit does: a line
/// "BROKEN" fails to start, "ONESHOT" ends at once, "HANGS" never gets ready, "INVALID" is refused.
class fake_systemd final : public systemd_port {
public:
  struct unit {
    std::optional<std::string> loaded;  ///< file content as of its loading
    std::optional<std::string> running; ///< the content that runs
    std::string active = "inactive", sub = "dead";
    std::string enabled;   ///< the [Install] that it was enabled with; empty: not enabled
    std::string elsewhere; ///< path of a packaged unit file
    unit_result result{"success", 0, 0};
    int starts = 0;
  };

  std::map<std::string, unit> units;
  std::vector<std::string> calls; ///< that change something, in order
  /// Called before and after every call that changes something.
  std::function<void(const std::string& call)> before = [](const std::string&) {};
  std::function<void(const std::string& call)> after = [](const std::string&) {};
  std::map<std::string, failure> failures; ///< by call: it fails like this
  temp_dir folder;

  [[nodiscard]] const std::filesystem::path& unit_folder() const override { return folder.path(); }
  [[nodiscard]] std::string_view journal_command() const override { return "journalctl -u"; }
  outcome<unit_properties> properties(const std::string& name, bool fresh,
                                      const wait_limit& limit) override;
  outcome<bool> needs_reload(const std::string& name, const wait_limit& limit) override;
  outcome<unit_result> result(const std::string& name, const wait_limit& limit) override;
  outcome<std::string> run(unit_job what, const std::string& name,
                           const wait_limit& limit) override;
  outcome<void> reset_failed(const std::string& name, const wait_limit& limit) override;
  outcome<void> enable(const std::string& name, const wait_limit& limit) override;
  outcome<void> disable(const std::string& name, const wait_limit& limit) override;
  outcome<void> reload(const wait_limit& limit) override;
  outcome<std::vector<unit_row>> list(const std::vector<std::string>& names,
                                      const wait_limit& limit) override;

  [[nodiscard]] std::optional<std::string> file(const std::string& name) const;

private:
  outcome<void> begin(const std::string& call);
  unit& load(const std::string& name);
  void start(unit& u);
};

} // namespace harmony::test

#include "integration/service/service_bed.hpp"

#include <filesystem>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

namespace {

namespace fs = std::filesystem;

const fs::path config = "/etc/harmony-agent/agent.toml";
const fs::path drop_ins = "/etc/systemd/system/harmony-agent.service.d";

void remove_traces() {
  for (const auto& each : {fs::path{"/srv/h-store"}, fs::path{"/var/lib/harmony-agent"},
                           config.parent_path(), drop_ins})
    fs::remove_all(each);
}

} // namespace

void install_agent() {
  static const std::string done = must(HARMONY_INSTALL);
  REQUIRE(fs::exists("/usr/lib/systemd/system/harmony-agent.service"));
}

installed_agent::installed_agent(const std::string& extra, const std::string& store_url)
  : remote_((install_agent(), remove_traces(), "/usr/bin/harmony-agent"), {}, store_url) {
  write_file(config, "agent-id = \"pi-1\"\nstore = \"" + store_url
                       + "\"\nheartbeat-interval = \"100ms\"\n" + extra);
}

installed_agent::~installed_agent() {
  shell("systemctl stop harmony-agent");
  remove_traces();
  shell("systemctl daemon-reload");
}

void installed_agent::drop_in(const std::string& name, const std::string& content) {
  write_file(drop_ins / name, content);
}

void installed_agent::start() {
  int status = 0;
  const auto said = shell("systemctl daemon-reload && systemctl start harmony-agent", &status);
  INFO(said << "\n" << shell("journalctl --no-pager -n 30 -u harmony-agent"));
  REQUIRE(status == 0);
}

std::string installed_agent::property(const std::string& name) {
  return must("systemctl show --value -p " + name + " harmony-agent");
}

int installed_agent::exposure() {
  return std::stoi(must("systemd-analyze security --no-pager harmony-agent | "
                        "sed -n 's/.*exposure level for harmony-agent.service: \\([0-9]*\\)"
                        "\\.\\([0-9]\\).*/\\1\\2/p'"));
}

} // namespace harmony::test

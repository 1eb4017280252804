#include "blind_device.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.hpp"

namespace harmony::bench {

namespace {

namespace fs = std::filesystem;

const fs::path bus_policy = "/etc/dbus-1/system.d/zz-harmony-bench.conf";
const fs::path podman_settings = "/etc/containers/containers.conf";

constexpr auto no_unit_signals = R"(<busconfig><policy context="mandatory">
  <deny receive_type="signal" receive_sender="org.freedesktop.systemd1"
        receive_interface="org.freedesktop.DBus.Properties" receive_member="PropertiesChanged"/>
</policy></busconfig>
)";

void take_over_settings() {
  sh("busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus ReloadConfig");
  sh("systemctl stop podman.service"); // its socket starts it anew
}

} // namespace

blind_device::blind_device() {
  test::write_file(bus_policy, no_unit_signals);
  fs::copy_file(podman_settings, folder_ / "containers.conf");
  auto settings = test::read_file(podman_settings);
  const std::string engine = "[engine]\n";
  const auto at = settings.find(engine);
  need(at != std::string::npos, "finding [engine] in '" + podman_settings.string() + "'");
  settings.insert(at + engine.size(), "events_logger = \"none\"\n");
  test::write_file(podman_settings, settings);
  take_over_settings();
}

blind_device::~blind_device() {
  fs::remove(bus_policy);
  fs::copy_file(folder_ / "containers.conf", podman_settings, fs::copy_options::overwrite_existing);
  take_over_settings();
}

std::string blind_device::without_inotify(const std::string& command) const {
  const auto script = folder_ / "agent";
  test::write_file(script, "#!/bin/sh\nexec '" + fs::read_symlink("/proc/self/exe").string()
                             + "' --no-inotify '" + command + "' \"$@\"\n");
  fs::permissions(script, fs::perms::owner_all);
  return script.string();
}

int run_without_inotify(char* const* command) {
  std::array<sock_filter, 4> rules{{
    {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
    {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_inotify_init1},
    {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EMFILE},
    {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  }};
  const sock_fprog filter{rules.size(), rules.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
      && ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0)
    ::execv(command[0], command);
  std::perror("agent_bench --no-inotify");
  return 1;
}

} // namespace harmony::bench

#include "apps/agent/device_facts.hpp"

#include <fstream>
#include <thread>

#include <nlohmann/json.hpp>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

namespace harmony {

namespace {

using nlohmann::json;

/// The first line of a small file; a device tree's ends with NUL.
std::string first_line(const std::string& path) {
  std::ifstream in{path};
  std::string line;
  std::getline(in, line);
  return line.substr(0, line.find('\0'));
}

/// "Debian GNU/Linux 12 (bookworm)", by os-release(5).
std::string pretty_name() {
  std::ifstream in{"/etc/os-release"};
  for (std::string line; std::getline(in, line);)
    if (line.rfind("PRETTY_NAME=", 0) == 0) {
      auto value = line.substr(line.find('=') + 1);
      std::erase(value, '"');
      return value;
    }
  return {};
}

/// Of a Raspberry Pi and its like from the device tree, otherwise from the firmware.
std::string model() {
  for (const auto* path : {"/proc/device-tree/model", "/sys/class/dmi/id/product_name"})
    if (auto name = first_line(path); !name.empty())
      return name;
  return {};
}

void set(json& into, const char* key, const std::string& value) {
  if (!value.empty())
    into[key] = value;
}

} // namespace

std::map<std::string, std::string> short_facts() {
  utsname system{};
  ::uname(&system);
  std::map<std::string, std::string> facts{{"host", system.nodename},
                                           {"model", model()},
                                           {"os", pretty_name()},
                                           {"architecture", system.machine},
                                           {"agent", HARMONY_VERSION}};
  std::erase_if(facts, [](const auto& fact) { return fact.second.empty(); });
  return facts;
}

std::string device_facts(const std::string& agent, const driver_registry& drivers,
                         const std::string& sealing_key) {
  json facts{{"apiVersion", "harmony/v1"}, {"kind", "DeviceInfo"}, {"agent", agent}};
  utsname system{};
  ::uname(&system);
  struct sysinfo memory {};
  ::sysinfo(&memory);
  auto& hardware = facts["hardware"];
  set(hardware, "model", model());
  hardware["architecture"] = system.machine;
  hardware["cpus"] = std::thread::hardware_concurrency();
  hardware["memoryBytes"] = static_cast<std::uint64_t>(memory.totalram) * memory.mem_unit;
  set(facts["os"], "name", pretty_name());
  facts["os"]["kernel"] = system.release;
  facts["versions"]["harmony-agent"] = HARMONY_VERSION;
  set(facts, "sealingKey", sealing_key);
  for (const auto& [kind, driver] : drivers.drivers)
    facts["kinds"].push_back(kind);
  for (const auto& [kind, why] : drivers.missing)
    facts["missing"][kind] = why;
  if (drivers.guard)
    for (const auto& [kind, driver] : drivers.drivers)
      if (const auto no = check_kind(drivers.guard->policy, kind))
        facts["denied"][kind] = explain(drivers.guard->policy, *no).message;
  // What is no UTF-8 (a firmware's name may be anything) is replaced.
  return facts.dump(-1, ' ', false, json::error_handler_t::replace);
}

} // namespace harmony

// What apt and dpkg say, and dpkg's records.

#include "fuzz.hpp"
#include "topology/apt_output.hpp"
#include "topology/dpkg_status.hpp"

namespace harmony::fuzz {

void take(std::string_view bytes) {
  listed_versions(bytes, "curl");
  lock_holder(bytes);
  const auto failure = apt_failure(bytes, "installing 'curl'");
  require(failure.message.size() <= 650, "a reason is about 600 bytes");
  require(failure.message.find('\n') == std::string::npos, "a reason stands on one line");

  dpkg_status status;
  const auto half = bytes.size() / 2;
  status.merge(bytes);
  status.merge(bytes.substr(half));
  for (const auto* package : {"curl", "curl:arm64", "dpkg", ""}) {
    const auto found = status.find(package);
    require(found.condition != package_condition::absent || found.version.empty(),
            "an absent package has no version");
    (void)status.full_name(package);
  }
}

} // namespace harmony::fuzz

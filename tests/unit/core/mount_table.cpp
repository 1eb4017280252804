#include "core/mount_table.hpp"

#include "support/catch.hpp"

namespace harmony::test {

namespace {

using names = std::vector<std::string>;

// A root, a disk below it, two bind mounts of folders of the root, one of them within the disk.
constexpr auto mountinfo = R"(22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 8:2 / /srv rw - ext4 /dev/sdb1 rw
31 22 8:1 /etc/harmony-agent /opt/by\040name rw - ext4 /dev/sda1 rw
32 30 8:1 /etc /srv/etc rw - ext4 /dev/sda1 rw
rubbish
33 22 0:5 / /dev rw - devtmpfs udev rw
)";

} // namespace

TEST_CASE("mount table: thing that is mounted again -> all its names, its own first") {
  const auto table = mount_table::read(mountinfo);
  CHECK(table.names_of("/var/x") == names{"/var/x"});
  CHECK(table.names_of("/srv/data") == names{"/srv/data"});
  CHECK(table.names_of("/opt/by name/agent.toml")
        == names{"/opt/by name/agent.toml", "/etc/harmony-agent/agent.toml",
                 "/srv/etc/harmony-agent/agent.toml"});
  CHECK(table.names_of("/srv/etc/passwd") == names{"/srv/etc/passwd", "/etc/passwd"});
  CHECK(table.names_of("/etc") == names{"/etc", "/srv/etc"});
  CHECK(table.names_of("/opt/by nameless") == names{"/opt/by nameless"});
}

TEST_CASE("mount table: folder with mounts below -> their names too") {
  const auto table = mount_table::read(mountinfo);
  CHECK(table.names_below("/srv") == names{"/srv", "/srv/etc", "/etc"});
  CHECK(table.names_below("/opt")
        == names{"/opt", "/opt/by name", "/etc/harmony-agent", "/srv/etc/harmony-agent"});
}

TEST_CASE("mount table: empty, rubbish -> a path has its own name") {
  CHECK(mount_table::read("").names_of("/etc") == names{"/etc"});
  CHECK(mount_table::read("1 2\n\n\\").names_below("/etc") == names{"/etc"});
}

} // namespace harmony::test

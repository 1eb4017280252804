#include "topology/dpkg_database.hpp"

#include <chrono>
#include <filesystem>
#include <iostream>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {
namespace {

using standing = package_condition;

std::string stanza(const std::string& name, const std::string& status, const std::string& version,
                   const std::string& architecture = "amd64") {
  return "Package: " + name + "\nStatus: " + status + "\nArchitecture: " + architecture
         + "\nVersion: " + version + "\nDescription: some\n Version: 9 is no field\n\n";
}

const std::string base = stanza("dpkg", "install ok installed", "1.21.22");

TEST_CASE("dpkg status: every status word -> its condition") {
  struct row {
    std::string status;
    package_info info;
  };
  const std::vector<row> rows{
    {"install ok installed", {standing::installed, "1", "installed", false}},
    {"hold ok installed", {standing::installed, "1", "installed", false}},
    {"install ok unpacked", {standing::unconfigured, "1", "unpacked", false}},
    {"install ok half-configured", {standing::unconfigured, "1", "half-configured", false}},
    {"install ok triggers-awaited", {standing::unconfigured, "1", "triggers-awaited", false}},
    {"install ok triggers-pending", {standing::unconfigured, "1", "triggers-pending", false}},
    {"install ok half-installed", {standing::broken, "1", "half-installed", false}},
    {"install reinstreq unpacked", {standing::broken, "1", "unpacked", false}},
    {"deinstall ok config-files", {standing::absent, "", "config-files", false}},
    {"purge ok not-installed", {standing::absent, "", "not-installed", false}},
  };
  for (const auto& r : rows) {
    dpkg_status s;
    s.merge(base + stanza("x", r.status, "1"));
    INFO(r.status);
    CHECK(s.find("x") == r.info);
  }
  CHECK(dpkg_status{}.find("x") == package_info{});
}

TEST_CASE("dpkg status: architectures -> the device's own without one, the named one with") {
  dpkg_status s;
  s.merge(stanza("lib", "install ok installed", "1")
          + stanza("lib", "install ok installed", "2", "arm64")
          + stanza("doc", "install ok installed", "3", "all")
          + stanza("other", "install ok installed", "4", "arm64") + base);
  CHECK(s.find("lib").version == "1");
  CHECK(s.find("lib:amd64").version == "1");
  CHECK(s.find("lib:arm64").version == "2");
  CHECK(s.find("doc").version == "3");
  CHECK(s.find("doc:amd64").version == "3");
  CHECK(s.find("doc:arm64").version.empty());
  CHECK(s.find("other").version.empty());
  CHECK(s.full_name("lib") == "lib:amd64");
  CHECK(s.full_name("lib:arm64") == "lib:arm64");
  CHECK(s.full_name("doc:amd64") == "doc");
  CHECK(s.full_name("nosuch") == "nosuch");
  s.merge(stanza("doc", "install ok installed", "5"));
  CHECK(s.find("doc").version == "5");
}

TEST_CASE("dpkg database: journal of a killed dpkg -> merged over the status, interrupted") {
  const temp_dir dir;
  write_file(dir / "status", base + stanza("x", "install ok installed", "1"));
  std::filesystem::create_directory(dir / "updates");
  dpkg_database database{dir.str()};
  REQUIRE(database.read().ok());
  CHECK((*database.read())->find("x")
        == package_info{standing::installed, "1", "installed", false});
  write_file(dir / "updates/0000", stanza("x", "install ok half-configured", "2"));
  write_file(dir / "updates/0001", stanza("x", "install ok unpacked", "2"));
  write_file(dir / "updates/tmp.i", stanza("x", "install ok installed", "2"));
  CHECK((*database.read())->find("x")
        == package_info{standing::unconfigured, "2", "unpacked", true});
  std::filesystem::remove_all(dir / "updates");
  CHECK((*database.read())->find("x").version == "1");
}

TEST_CASE("dpkg database: status replaced -> read anew; unchanged -> the one that is kept") {
  const temp_dir dir;
  write_file(dir / "status", base + stanza("x", "install ok installed", "1"));
  dpkg_database database{dir.str()};
  const auto first = *database.read();
  CHECK(*database.read() == first);
  write_file(dir / "status-new", base + stanza("x", "install ok installed", "2"));
  std::filesystem::rename(dir / "status-new", dir / "status");
  CHECK((*database.read())->find("x").version == "2");
  std::filesystem::remove(dir / "status");
  const auto none = database.read();
  REQUIRE_FALSE(none.ok());
  CHECK(none.error().code == ec::runtime_unavailable);
}

TEST_CASE("dpkg database: cost of a look", "[.][bench]") {
  const auto time = [](const char* what, int n, const auto& work) {
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < n; ++i)
      work();
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - began;
    std::cout << what << ": " << took.count() / n << " us\n";
  };
  time("whole file", 20, [] { REQUIRE(dpkg_database{}.read().ok()); });
  dpkg_database kept;
  time("kept", 1000, [&] { REQUIRE((*kept.read())->find("dpkg").version.size() > 1); });
}

} // namespace
} // namespace harmony::test

// Packages of a repository of the test's own.

#include "device_facts.hpp"
#include "integration/packages/package_bed.hpp"
#include "scenario.hpp"

namespace harmony::test {

namespace {

class packages_scenario final : public scenario {
public:
  ~packages_scenario() override { forget(); }

  [[nodiscard]] std::chrono::milliseconds limit() const override {
    return std::chrono::milliseconds{10'000}; // apt-get is no faster on a busy machine
  }

  void set_up(const std::filesystem::path& /*state*/) override {
    forget();
    // One was left half-way by somebody else.
    must(
      "rm -rf /var/lib/apt/lists/* && dpkg --unpack /srv/harmony-repository/ht-half_1.0_all.deb");
    others_ = packages("!");
  }

  [[nodiscard]] std::string resources(unsigned generation) const override {
    if (generation >= last_generation)
      return {};
    const bool first = generation == 1;
    auto text = package("ht-half") + "," + package("ht-keep") + ","
                + package("ht-change", first ? "1.0" : "2.0");
    if (first)
      text += "," + package("ht-gone");
    return text;
  }

private:
  static std::string package(const std::string& name, const std::string& version = {}) {
    return resource_json("Package", name,
                         R"("package":")" + name + '"'
                           + (version.empty() ? "" : R"(,"version":")" + version + '"'),
                         // Otherwise apt-get may set it up by the way.
                         name == "ht-half" ? "" : R"(,"dependsOn":["Package/ht-half"])");
  }
  /// Packages of the test, or with "!" all others: name, version and state of each.
  static std::string packages(const std::string& which) {
    return sorted(shell("dpkg-query -W -f '${Package} ${Version} ${db:Status-Abbrev}\\n' | awk '"
                        + which + R"(/^ht-/ && $3 != "rc" && $3 != "un"')"));
  }
  static void forget() {
    shell("dpkg --configure -a; dpkg --purge --force-all ht-half ht-keep ht-change ht-gone; true");
  }

  void check(unsigned generation) override {
    std::vector<std::string> wanted{"ht-half 1.0 ii "}; // found there, so left there
    if (generation < last_generation)
      wanted.insert(wanted.end(), {"ht-keep 1.0 ii ",
                                   generation == 1 ? "ht-change 1.0 ii " : "ht-change 2.0 ii "});
    if (generation == 1)
      wanted.emplace_back("ht-gone 1.0 ii ");
    expect("the set of packages", lines_of(wanted), packages(""));
    expect("the set of other packages", others_, packages("!"));
    expect("what dpkg finds amiss", "", shell("dpkg --audit"));
    expect("the set of programs that still run", "",
           shell("systemctl list-units --all --plain --no-legend 'run-*.scope' 'run-*.service'"));
    if (generation < last_generation)
      expect_kept("inode of ht-keep", inode_of("/usr/share/ht-keep/version"));
  }

  std::string others_;
};

} // namespace

scenario_kind packages() {
  return {"packages",
          {"package.", "process."},
          [] {
            reset_repository();
            for (const auto* name : {"ht-half", "ht-keep", "ht-change", "ht-gone"})
              publish({name});
            publish({"ht-change", "2.0"});
          },
          [] { return std::make_unique<packages_scenario>(); }};
}

} // namespace harmony::test

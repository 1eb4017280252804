// What comes from elsewhere: files from a web server, images from a registry.

#include <sstream>

#include "device_facts.hpp"
#include "integration/files/web_server.hpp"
#include "model/manifest.hpp"
#include "scenario.hpp"
#include "support/eventually.hpp"
#include "support/image_registry.hpp"
#include "support/shell.hpp"
#include "support/temp_dir.hpp"
#include "support/test_image.hpp"

namespace harmony::test {

namespace {

namespace fs = std::filesystem;

const std::string first_content(100'000, '1');
const std::string second_content(200'000, '2');

/// Two images of one repository.
image_registry& registry() {
  static image_registry all;
  return all;
}

class remote_scenario final : public scenario {
public:
  remote_scenario() {
    fs::remove_all(root_);
    fs::create_directories(root_);
    server_.serve("/1", first_content);
    server_.serve("/2", second_content);
    server_.start();
  }
  ~remote_scenario() override {
    shell("podman rm -f -t 0 harmony-keep harmony-anew >/dev/null 2>&1; podman rmi -f "
          + registry().reference("app:1") + " " + registry().reference("app:2")
          + " >/dev/null 2>&1; true");
    fs::remove_all(root_);
  }
  void set_up(const fs::path& state) override { cache_ = state / "cache"; }

  [[nodiscard]] std::string resources(unsigned generation) const override {
    if (generation >= last_generation)
      return {};
    const bool first = generation == 1;
    auto text =
      remote("keep", first_content, "/1") + ","
      + (first ? remote("change", first_content, "/1") : remote("change", second_content, "/2"))
      + "," + container("keep", "app:1") + "," + container("anew", first ? "app:1" : "app:2");
    if (first)
      text += "," + remote("gone", second_content, "/2");
    return text;
  }

private:
  [[nodiscard]] std::string remote(const std::string& name, const std::string& content,
                                   const std::string& path) const {
    return resource_json("File", name,
                         R"("path":")" + (root_ / name).string() + R"(","source":{"url":")"
                           + server_.url(path) + R"(","sha256":")" + sha256_hex(content) + R"("})");
  }
  static std::string container(const std::string& name, const std::string& image) {
    return resource_json("Container", name,
                         R"("image":")" + registry().reference(image) + R"(","network":"none")");
  }

  void check(unsigned generation) override {
    const bool last = generation >= last_generation;
    expect("the set of files",
           last              ? ""
           : generation == 1 ? "change\ngone\nkeep\n"
                             : "change\nkeep\n",
           tree_of(root_));
    // A download that hangs is given up, and cleans up behind it when it is over.
    const auto parts = [this] {
      return shell("ls " + cache_.string() + " 2>/dev/null | grep part");
    };
    expect("what is half fetched", "",
           eventually([&] { return parts().empty(); }, 2 * limit()) ? "" : parts());
    if (!last) {
      const auto& wanted = generation == 1 ? first_content : second_content;
      expect("hash of change", sha256_hex(wanted), sha256_hex(content_of(root_ / "change")));
      expect("hash of keep", sha256_hex(first_content), sha256_hex(content_of(root_ / "keep")));
      expect_kept("inode of keep", inode_of(root_ / "keep"));
    }
    check_containers(generation);
  }
  void check_containers(unsigned generation) {
    std::istringstream in{shell("podman ps -a --filter label=io.harmony.agent --format "
                                "'{{.Names}} {{.ID}} {{.Pid}} {{.Image}}'")};
    std::vector<std::string> there;
    std::string name;
    std::string id;
    std::string pid;
    for (std::string image; in >> name >> id >> pid >> image;) {
      there.push_back(name + (pid == "0" ? " ended " : " running ")
                      + image.substr(image.rfind('/') + 1));
      if (name == "harmony-keep")
        expect_kept("id of " + name, id);
    }
    std::vector<std::string> wanted;
    if (generation < last_generation)
      wanted = {"harmony-keep running app:1",
                std::string{"harmony-anew running app:"} + (generation == 1 ? "1" : "2")};
    expect("the set of containers", lines_of(wanted), lines_of(there));
  }

  web_server server_;
  const fs::path root_ = "/srv/harmony-matrix";
  fs::path cache_;
};

} // namespace

scenario_kind remote_content() {
  return {"remote",
          {"download.", "cache.", "podman.pull", "podman.image"},
          [] {
            run_tool({"systemctl", "start", "podman.socket"});
            run_tool({"podman", "version"}); // its storage is set up
            registry().publish("1", "app:1");
            registry().publish("2", "app:2");
          },
          [] { return std::make_unique<remote_scenario>(); }};
}

} // namespace harmony::test

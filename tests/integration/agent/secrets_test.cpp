// Secrets go where they belong and nowhere else: values that are nowhere but in their refs,
// searched for in all that the agent writes and says.

#include <array>
#include <filesystem>
#include <random>
#include <sstream>

#include "integration/agent/device_bed.hpp"
#include "model/base64.hpp"
#include "model/manifest.hpp"
#include "support/catch.hpp"
#include "support/shell.hpp"
#include "support/test_image.hpp"

namespace harmony::test {

namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

const std::string image = "localhost/harmony-test:1";

std::string hex_of(std::string_view bytes) {
  std::string text;
  for (const unsigned char c : bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    text += digits[c >> 4U];
    text += digits[c & 15U];
  }
  return text;
}

/// A value that nobody else has, and how it may turn up.
class canary {
public:
  explicit canary(std::string name) : name_(std::move(name)) {
    std::random_device random;
    value_ = "canary-" + name_ + "-";
    for (int i = 0; i < 4; ++i)
      value_ += std::to_string(random()) + "x";
    forms_ = {value_, hex_of(value_), sha256_hex(value_), sha256_hex(value_ + "\n")};
    for (const auto* before : {"", "x", "xx"}) { // base64 of it inside a longer text
      const auto text = encode_base64(before + value_);
      forms_.push_back(text.substr(4, text.size() - 8));
    }
  }

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& value() const { return value_; }
  [[nodiscard]] const std::vector<std::string>& forms() const { return forms_; }

private:
  std::string name_, value_;
  std::vector<std::string> forms_;
};

/// What was said or written, and where.
struct place {
  std::string name, text;
};

void add_folder(std::vector<place>& to, const fs::path& folder) {
  for (const auto& each : fs::recursive_directory_iterator{folder})
    if (each.is_regular_file())
      to.push_back({each.path().string(), each.path().string() + "\n" + read_file(each.path())});
}

/// "NAME in PLACE", for each canary in each place.
std::vector<std::string> found_in(const std::vector<place>& places,
                                  const std::vector<canary>& canaries) {
  std::vector<std::string> all;
  for (const auto& where : places)
    for (const auto& each : canaries)
      for (std::size_t form = 0; form < each.forms().size(); ++form)
        if (where.text.find(each.forms()[form]) != std::string::npos)
          all.push_back(each.name() + " (form " + std::to_string(form) + ") in " + where.name);
  return all;
}

/// An agent with secrets of every source.
struct secretive_device {
  std::string format; ///< of the agent's log
  temp_dir root;
  fs::path state = root / "state";
  fs::path secrets = root / "secrets";
  fs::path credentials = root / "credentials";
  fs::path targets = root / "targets";
  canary file{"file"}, file_env{"file-env"}, credential{"credential"},
    credential_env{"credential-env"}, sealed{"sealed"}, sealed_env{"sealed-env"};
  agent_process agent;

  explicit secretive_device(std::string log_format = "text")
    : format(std::move(log_format)),
      agent(agent_program,
            {"--state-dir", state.string(), "--secrets-dir", secrets.string(), "--log-level",
             "debug", "--log-format", format, "--relist-interval", "1s", "--poll-interval", "1s"}) {
    fs::create_directory(targets);
    write_file(secrets / "f", file.value());
    write_file(secrets / "e", file_env.value() + "\n");
    write_file(credentials / "f", credential.value());
    write_file(credentials / "e", credential_env.value());
    agent.start({{"CREDENTIALS_DIRECTORY", credentials.string()}});
  }

  [[nodiscard]] std::string ctl(const std::string& arguments) const {
    return shell(std::string{HARMONYCTL} + " --store " + agent.store_url() + " " + arguments
                 + " 2>&1");
  }
  [[nodiscard]] std::string local(const std::string& arguments) const {
    return shell(agent_program + " --agent-id pi-1 --store " + agent.store_url() + " --state-dir "
                 + state.string() + " --secrets-dir " + secrets.string() + " " + arguments
                 + " 2>&1");
  }

  /// The JSON of a ref, sealed by the real harmonyctl with the key that the device told.
  std::string seal(const canary& what, const std::string& resource) {
    write_file(root / "to-seal", what.value());
    const auto command = std::string{HARMONYCTL} + " --store " + agent.store_url()
                         + " seal pi-1 -o json --for " + resource + " -f "
                         + (root / "to-seal").string() + " 2>/dev/null";
    std::string ref;
    REQUIRE(becomes([&] {
      int status = 0;
      ref = shell(command, &status);
      return status == 0;
    }));
    fs::remove(root / "to-seal");
    return ref;
  }

  [[nodiscard]] std::string secret_file(const std::string& name, const std::string& ref) const {
    return R"({"kind":"File","name":")" + name + R"(","spec":{"path":")" + (targets / name).string()
           + R"(","mode":"0600","secretRef":)" + ref + "}}";
  }

  std::string manifest() {
    return secret_file("file", R"({"file":"f"})") + ","
           + secret_file("credential", R"({"credential":"f"})") + ","
           + secret_file("sealed", seal(sealed, "File/sealed")) + ","
           + R"({"kind":"Container","name":"app","spec":{"image":")" + image
           + R"(","pullPolicy":"Never","network":"none","env":{"MODE":"x"},"secretEnv":{)"
           + R"("A":{"file":"e"},"B":{"credential":"e"},"C":)" + seal(sealed_env, "Container/app")
           + "}}}";
  }

  [[nodiscard]] std::vector<canary> all() const {
    return {file, file_env, credential, credential_env, sealed, sealed_env};
  }
};

std::string environment_of_app() {
  return shell("podman exec harmony-app /bin/sh -c 'echo $MODE/$A/$B/$C'");
}

/// All but the targets: what lies on the device and in the store, and what each command says.
std::vector<place> everywhere(secretive_device& d) {
  std::vector<place> places;
  write_file(
    d.root / "next.json", // another mode, another image: a plan with changes
    R"({"apiVersion":"harmony/v1","kind":"AgentManifest","metadata":{"agent":"pi-1","generation":9},
"spec":{"resources":[{"kind":"File","name":"file","spec":{"path":")"
      + (d.targets / "file").string() + R"(","mode":"0640","secretRef":{"credential":"f"}}}]}})");
  for (const auto* said : {"get agents", "get resources pi-1 -o json", "get manifest pi-1",
                           "describe agent pi-1 -o json", "describe resource pi-1 File/file",
                           "describe resource pi-1 Container/app -o json", "explain pi-1",
                           "explain pi-1 Container/app --live -o json", "history pi-1 -o json",
                           "logs pi-1 Container/app", "check pi-1", "ping pi-1"})
    places.push_back({said, d.ctl(said)});
  places.push_back({"plan", d.ctl("plan -o json -f " + (d.root / "next.json").string())});
  CHECK_THAT(places.back().text, Contains("content"));
  for (const auto* said : {"status", "status Container/app -o json", "check", "key"})
    places.push_back({said, d.local(said)});
  const auto bundle = (d.root / "bundle.tar.gz").string();
  const auto unpacked = d.root / "bundle";
  fs::create_directory(unpacked);
  places.push_back({"support-bundle", d.local("support-bundle --output " + bundle)});
  REQUIRE(run("tar -C " + unpacked.string() + " -xzf " + bundle));
  CHECK(fs::exists(unpacked / "status.json"));
  add_folder(places, unpacked);
  add_folder(places, d.state);
  add_folder(places, d.agent.store_url().substr(std::string{"dir:"}.size()));
  places.push_back({"log", d.agent.log()});
  places.push_back({"journal", shell("journalctl --no-pager --all -o json")});
  if (d.format == "journal")
    CHECK_THAT(places.back().text, Contains("HARMONY_AGENT"));
  places.push_back({"podman ps", shell("podman ps --all --format json")});
  places.push_back({"podman events", shell("podman events --stream=false --format json")});
  places.push_back(
    {"labels", shell("podman inspect --format '{{json .Config.Labels}}' harmony-app")});
  CHECK_THAT(places.back().text, Contains("io.harmony.secrets"));
  return places;
}

} // namespace

TEST_CASE("secrets: the search -> finds each form of a value") {
  const canary it{"seen"};
  for (const auto& text : {it.value(), "a" + it.value() + "b", hex_of(it.value()),
                           encode_base64(it.value()), encode_base64("1:" + it.value() + "\n"),
                           "sha256:" + sha256_hex(it.value()), sha256_hex(it.value() + "\n")})
    CHECK(found_in({{"here", text}}, {it}).size() >= 1);
  CHECK(found_in({{"here", "canary-seen-"}}, {it}).empty());
}

TEST_CASE("secrets: every source, File and Container -> in their targets and nowhere else") {
  const auto* format = GENERATE("text", "journal");
  REQUIRE(run("systemctl start podman.socket"));
  build_test_image(image);
  secretive_device d{format};
  d.agent.apply(d.manifest());
  REQUIRE(d.agent.converged());
  CHECK(read_file(d.targets / "file") == d.file.value());
  CHECK(read_file(d.targets / "credential") == d.credential.value());
  CHECK(read_file(d.targets / "sealed") == d.sealed.value());
  CHECK(environment_of_app()
        == "x/" + d.file_env.value() + "/" + d.credential_env.value() + "/" + d.sealed_env.value());
  // Told while it is well, while one is missing, and after one was changed.
  auto canaries = d.all();
  auto found = found_in(everywhere(d), canaries);
  fs::remove_all(d.root / "bundle");
  fs::remove(d.secrets / "f");
  CHECK(d.agent.await_standing("File/file", "Failed SecretUnavailable")
        == "Failed SecretUnavailable");
  const canary changed{"changed"};
  canaries.push_back(changed);
  write_file(d.secrets / "f", changed.value());
  REQUIRE(becomes([&] { return read_file(d.targets / "file") == changed.value(); }));
  REQUIRE(d.agent.converged());
  const auto later = found_in(everywhere(d), canaries);
  found.insert(found.end(), later.begin(), later.end());
  for (const auto& each : found)
    UNSCOPED_INFO(each);
  CHECK(found.empty());
}

TEST_CASE(
  "secrets: file in a folder that a container mounts -> read there, also once it is another, "
  "and nothing that podman keeps or tells has it") {
  REQUIRE(run("systemctl start podman.socket"));
  build_test_image(image);
  secretive_device d;
  d.agent.apply(d.secret_file("token", R"({"file":"f"})") + R"(,{"kind":"Container","name":"app")"
                + after("File/token") + R"(,"spec":{"image":")" + image
                + R"(","pullPolicy":"Never","network":"none","mounts":[{"type":"bind","source":")"
                + d.targets.string() + R"(","target":"/run/app","readOnly":true}]}})");
  REQUIRE(d.agent.converged());
  const auto read = [] { return shell("podman exec harmony-app /bin/sh -c 'cat /run/app/token'"); };
  CHECK(read() == d.file.value());
  const auto container = shell("podman inspect --format '{{.Id}}' harmony-app");
  const canary changed{"changed"};
  write_file(d.secrets / "f", changed.value());
  CHECK(becomes([&] { return read() == changed.value(); }));
  CHECK(shell("podman inspect --format '{{.Id}}' harmony-app") == container); // not replaced
  const auto told = shell("podman inspect harmony-app");
  CHECK(found_in({{"podman inspect", told}}, {d.file, changed}).empty());
  for (const auto* kept :
       {"/var/lib/containers/storage/overlay-containers", "/run/containers", "/run/crun"}) {
    INFO(kept);
    CHECK_FALSE(run(std::string{"grep -rqE 'canary-(file|changed)' "} + kept));
  }
}

TEST_CASE("secrets: value of a container changes -> replaced; goes -> said, and it runs on") {
  REQUIRE(run("systemctl start podman.socket"));
  build_test_image(image);
  secretive_device d;
  d.agent.apply(d.manifest());
  REQUIRE(d.agent.converged());
  const auto id = [] { return shell("podman inspect --format '{{.Id}}' harmony-app"); };
  const auto first = id();
  // An agent that comes back knows the values that it gave.
  const auto boot = d.agent.status().boot_id;
  d.agent.kill();
  d.agent.start({{"CREDENTIALS_DIRECTORY", d.credentials.string()}});
  const auto again = d.agent.await(
    [&](const agent_status& s) { return s.boot_id != boot && s.phase == agent_phase::converged; });
  REQUIRE(again.boot_id != boot);
  CHECK(id() == first);
  const canary changed{"changed"};
  write_file(d.secrets / "e.new", changed.value());
  fs::rename(d.secrets / "e.new", d.secrets / "e");
  REQUIRE(becomes([&] { return environment_of_app().find(changed.value()) != std::string::npos; }));
  REQUIRE(d.agent.converged());
  const auto second = id();
  CHECK(second != first);
  fs::remove(d.secrets / "e");
  CHECK(d.agent.await_standing("Container/app", "Failed SecretUnavailable")
        == "Failed SecretUnavailable");
  const auto status = d.agent.status();
  CHECK_THAT(resource_of(status, "Container/app").message,
             Contains("A: secret file 'e'") && Contains((d.secrets / "e").string()));
  CHECK(d.agent.standing("File/sealed") == "Ready");
  CHECK(id() == second);
  CHECK(shell("podman inspect --format '{{.State.Running}}' harmony-app") == "true");
  write_file(d.secrets / "e", changed.value());
  REQUIRE(d.agent.converged());
  CHECK(id() == second);
}

} // namespace harmony::test

// key, sign, verify, and what the other commands do with a manifest that is signed.
#include <filesystem>

#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "apps/ctl/key_files.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "trust/trust_policy.hpp"
#include "unit/ctl/fixture.hpp"

namespace harmony::ctl {

namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;
using nlohmann::json;
using test::read_file;
using test::write_file;

/// A terminal in a folder with the keys of alice and bob.
class signing_bed : public terminal {
public:
  signing_bed() {
    for (const auto* name : {"alice", "bob"})
      REQUIRE(run({"key", "generate", name, "--folder", folder.path().string()}) == 0);
  }

  [[nodiscard]] std::string at_folder(const std::string& name) const {
    return (folder / name).string();
  }
  [[nodiscard]] std::string key(const std::string& name) const { return at_folder(name + ".key"); }

  /// Who of alice and bob has signed what is in the store.
  std::vector<std::string> signers(const std::string& agent) {
    const auto e = read_envelope(stored(agent));
    if (!e)
      return {e.error().message};
    std::vector<std::string> names;
    for (const auto& k : signers_of(
           *e, {*load_public_key(at_folder("alice.pub")), *load_public_key(at_folder("bob.pub"))}))
      names.push_back(k.name);
    return names;
  }

  std::string stored(const std::string& agent) {
    const auto entry = at().get(bucket::desired_state, agent, soon);
    return entry && *entry ? (*entry)->value : "";
  }

  generation_number generation(const std::string& agent) {
    REQUIRE(run({"get", "manifest", agent, "-o", "json"}) == 0);
    return json::parse(out)["metadata"]["generation"];
  }

  test::temp_dir folder;
};

const std::string site = yaml_of("pi-1", {"motd"});

TEST_CASE("key: generate -> a secret for its owner alone, a public one; never over another") {
  signing_bed t;
  struct stat info {};
  REQUIRE(::stat(t.key("alice").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0600);
  CHECK(load_secret_key(t.key("alice"))->pub() == *load_public_key(t.at_folder("alice.pub")));
  const auto before = read_file(t.key("alice"));
  CHECK(t.run({"key", "generate", "alice", "--folder", t.folder.path().string()}) == 1);
  CHECK_THAT(t.err, Contains("alice.key") && Contains("exists"));
  CHECK(read_file(t.key("alice")) == before);
  CHECK(read_file(t.key("bob")) != before);
  CHECK(t.run({"key", "generate", "Alice"}) == 2);
  // Where the public one is in the way, no secret one is left behind.
  fs::remove(t.key("alice"));
  CHECK(t.run({"key", "generate", "alice", "--folder", t.folder.path().string()}) == 1);
  CHECK_FALSE(fs::exists(t.key("alice")));
}

TEST_CASE("key: show -> the public half, of either file; list -> each with what is wrong") {
  signing_bed t;
  REQUIRE(t.run({"key", "show", t.at_folder("alice.pub")}) == 0);
  const auto line = t.out;
  CHECK(line == read_file(t.at_folder("alice.pub")));
  REQUIRE(t.run({"key", "show", t.key("alice")}) == 0);
  CHECK(t.out == line);
  REQUIRE(t.run({"key", "show", t.key("alice"), "-o", "json"}) == 0);
  const auto shown = json::parse(t.out);
  CHECK(shown["name"] == "alice");
  CHECK(shown["keyId"].get<std::string>().size() == 64);
  CHECK(t.run({"key", "show", t.at_folder("none")}) == 1);

  fs::permissions(t.key("bob"), fs::perms{0644});
  REQUIRE(t.run({"key", "list", t.folder.path().string(), "-o", "json"}) == 0);
  const auto rows = json::parse(t.out);
  REQUIRE(rows.size() == 4);
  CHECK(rows[0]["file"] == "alice.key");
  CHECK(rows[0]["kind"] == "secret");
  CHECK(rows[0]["keyId"] == shown["keyId"]);
  CHECK_THAT(rows[2]["note"].get<std::string>(), Contains("chmod 0600"));
  CHECK(rows[3]["note"] == "");
}

TEST_CASE("sign: a secret key that others may read -> not used") {
  signing_bed t;
  for (const auto mode : {0640, 0604, 0620, 0666}) {
    fs::permissions(t.key("alice"), fs::perms{static_cast<unsigned>(mode)});
    CHECK(t.run({"sign", "-", "--key", t.key("alice"), "--generation", "1"}, site) == 1);
    CHECK_THAT(t.err, Contains("others than its owner reach it") && Contains("chmod 0600"));
    CHECK(t.out.empty());
  }
}

TEST_CASE("sign: two people, one after the other -> one envelope that both have signed") {
  signing_bed t;
  const auto first = t.at_folder("first"), both = t.at_folder("both");
  REQUIRE(t.run({"sign", "-", "--key", t.key("alice"), "--generation", "8", "--into", first}, site)
          == 0);
  CHECK(t.out.empty());
  CHECK(t.err == "generation 8 of 'pi-1' (1 resource) signed by alice\n");
  CHECK(t.run({"verify", first, "--key", t.at_folder("alice.pub"), "--key", t.at_folder("bob.pub"),
               "--threshold", "2"})
        == 6);
  CHECK_THAT(t.out, Contains("signed      alice") && Contains("not signed  bob")
                      && Contains("1 of 2 needed") && !Contains("pi-1"));
  REQUIRE(t.run({"sign", first, "--key", t.key("bob"), "--into", both}) == 0);
  REQUIRE(t.run({"verify", both, "--key", t.at_folder("alice.pub"), "--key", t.at_folder("bob.pub"),
                 "--threshold", "2"})
          == 0);
  CHECK_THAT(t.out, Contains("2 of 2 needed") && Contains("generation 8 of 'pi-1'"));
  CHECK(read_envelope(read_file(both))->payload == read_envelope(read_file(first))->payload);
  CHECK(t.run({"validate", "-f", both}) == 0);
  CHECK(t.run({"sign", both, "--key", t.key("bob"), "--generation", "9"}) == 6);

  // As a device would judge it.
  write_file(t.at_folder("agent.toml"),
             "store = \"dir:/x\"\n[trust]\nthreshold = 2\nkeys = [\""
               + write_public_key(*load_public_key(t.key("alice"))) + "\", \""
               + write_public_key(*load_public_key(t.key("bob"))) + "\"]\n");
  CHECK(t.run({"verify", both, "--trust", t.at_folder("agent.toml")}) == 0);
  CHECK(t.run({"verify", first, "--trust", t.at_folder("agent.toml"), "-o", "json"}) == 6);
  const auto judged = json::parse(t.out);
  CHECK(judged["verified"] == false);
  CHECK(judged["threshold"] == 2);
  CHECK(judged["keys"][1]["name"] == "bob");
  CHECK(judged["keys"][1]["signed"] == false);
}

TEST_CASE("sign: what cannot be signed -> says so, and writes nothing") {
  signing_bed t;
  const auto alice = t.key("alice");
  CHECK(t.run({"sign", "-", "--key", alice}, site) == 6);
  CHECK_THAT(t.err, Contains("--generation"));
  CHECK(t.run({"sign", "-", "--generation", "1"}, site) == 2);
  CHECK_THAT(t.err, Contains("--key"));
  CHECK(
    t.run({"sign", "-", "--key", alice, "--generation", "1"}, site + "---\n" + yaml_of("pi-2", {}))
    == 6);
  CHECK(t.run({"sign", "-", "--key", alice, "--generation", "1"}, "kind: x\n") == 6);
  auto other = write_envelope({"text/plain", "hello", {}});
  CHECK(t.run({"sign", "-", "--key", alice}, other) == 6);
  CHECK_THAT(t.err, Contains("payloadType"));
  CHECK(t.out.empty());
}

TEST_CASE("verify: needs somebody to trust, and does not look into what nobody signed") {
  signing_bed t;
  CHECK(t.run({"verify", "x"}) == 2);
  const auto pub = t.at_folder("alice.pub");
  CHECK(t.run({"verify", "-", "--key", pub}, site) == 6);
  CHECK(t.run({"verify", "-", "--key", pub, "--threshold", "2"}, site) == 1);
  CHECK_THAT(t.err, Contains("--threshold"));
  write_file(t.at_folder("agent.toml"), "store = \"dir:/x\"\n");
  CHECK(t.run({"verify", "-", "--trust", t.at_folder("agent.toml")}, site) == 1);
  CHECK_THAT(t.err, Contains("pins no keys"));
}

TEST_CASE("apply: with a key -> signed; by the other one too -> the same generation, both") {
  signing_bed t;
  REQUIRE(t.run({"apply", "-f", "-", "--key", t.key("alice")}, site) == 0);
  CHECK_THAT(t.out, Contains("applied (generation 1)"));
  CHECK(t.signers("pi-1") == std::vector<std::string>{"alice"});
  CHECK(t.run({"apply", "-f", "-", "--key", t.key("alice")}, site) == 0);
  CHECK(t.out == "manifest of 'pi-1' unchanged (generation 1)\n");
  CHECK(t.run({"apply", "-f", "-"}, site) == 0);
  CHECK(t.out == "manifest of 'pi-1' unchanged (generation 1)\n");
  const auto payload = read_envelope(t.stored("pi-1"))->payload;
  t.now += std::chrono::hours{1};
  REQUIRE(t.run({"apply", "-f", "-", "--key", t.key("bob")}, site) == 0);
  CHECK_THAT(t.out, Contains("signed (generation 1)"));
  CHECK(t.signers("pi-1") == std::vector<std::string>{"alice", "bob"});
  CHECK(read_envelope(t.stored("pi-1"))->payload == payload);

  t.variables["HARMONY_KEY"] = t.key("alice") + ":" + t.key("bob");
  REQUIRE(t.run({"apply", "-f", "-"}, yaml_of("pi-1", {"motd"}, "new")) == 0);
  CHECK(t.signers("pi-1") == std::vector<std::string>{"alice", "bob"});
  CHECK(t.generation("pi-1") == 2);
}

TEST_CASE("apply: unsigned over signed -> refused unless by force; unsigned gets a signature") {
  signing_bed t;
  REQUIRE(t.run({"apply", "-f", "-"}, site) == 0);
  REQUIRE(t.run({"apply", "-f", "-", "--key", t.key("alice")}, site) == 0);
  CHECK_THAT(t.out, Contains("signed (generation 1)"));
  const auto before = t.stored("pi-1");
  const auto changed = yaml_of("pi-1", {"motd"}, "new");
  CHECK(t.run({"apply", "-f", "-"}, changed) == 6);
  CHECK_THAT(t.err, Contains("is signed") && Contains("--key"));
  CHECK(t.stored("pi-1") == before);
  CHECK(t.run({"plan", "-f", "-", "--offline"}, changed) == 0);
  CHECK(t.run({"apply", "-f", "-", "--force"}, changed) == 0);
  CHECK_FALSE(is_envelope(t.stored("pi-1")));
}

TEST_CASE("apply: an envelope -> written as it is; never under a generation that has passed") {
  signing_bed t;
  REQUIRE(t.run({"apply", "-f", "-"}, site) == 0);
  const auto file = t.at_folder("signed");
  const auto sign_as = [&](const std::string& generation) {
    REQUIRE(
      t.run({"sign", "-", "--key", t.key("alice"), "--generation", generation, "--into", file},
            yaml_of("pi-1", {"motd"}, "new"))
      == 0);
  };
  sign_as("1");
  CHECK(t.run({"apply", "-f", file}) == 6);
  CHECK_THAT(t.err, Contains("--generation 2"));
  sign_as("5");
  CHECK(t.run({"apply", "-f", file, "--agent", "pi-2"}) == 6);
  REQUIRE(t.run({"apply", "-f", file, "--dry-run"}) == 0);
  REQUIRE(t.run({"apply", "-f", file}) == 0);
  CHECK_THAT(t.out, Contains("applied (generation 5)"));
  CHECK(t.stored("pi-1") == read_file(file));
  CHECK(t.run({"apply", "-f", file}) == 0);
  CHECK_THAT(t.out, Contains("unchanged"));
  REQUIRE(t.run({"apply", "-f", file, "--key", t.key("bob")}) == 0);
  CHECK(t.signers("pi-1") == std::vector<std::string>{"alice", "bob"});
  CHECK(t.run({"apply", "-f", file}) == 0); // alice's file takes no signature away
  CHECK(t.signers("pi-1") == std::vector<std::string>{"alice", "bob"});
}

TEST_CASE("views: what is signed -> shown as what is not, and with its signatures where asked") {
  signing_bed t;
  const auto alice = t.key("alice");
  REQUIRE(t.run({"apply", "-f", "-", "--key", alice}, site) == 0);
  REQUIRE(t.run({"apply", "-f", "-", "--key", alice, "--key", t.key("bob")},
                yaml_of("pi-1", {"motd"}, "new"))
          == 0);
  auto status = status_of("pi-1", agent_phase::converged, 2);
  status.resources[{"File", "motd"}] = resource_at(resource_phase::ready);
  report(t.at(), status);
  beat(t.at(), status);
  REQUIRE(t.run({"get", "manifest", "pi-1"}) == 0);
  CHECK_THAT(t.out, Contains("agent: pi-1"));
  CHECK(t.run({"validate", "-f", "-"}, t.out) == 0);
  REQUIRE(t.run({"get", "manifest", "pi-1", "--envelope", "-o", "json"}) == 0);
  CHECK(read_envelope(t.out)->payload == read_envelope(t.stored("pi-1"))->payload);
  REQUIRE(t.run({"history", "pi-1", "-o", "json"}) == 0);
  const auto rows = json::parse(t.out);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0]["signedBy"].size() == 2);
  CHECK(rows[1]["signedBy"].size() == 1);
  CHECK(t.run({"describe", "resource", "pi-1", "File/motd"}) == 0);
  CHECK_THAT(t.out, Contains("/etc/motd"));
  CHECK(t.run({"explain", "pi-1"}) == 0);
  CHECK(t.run({"wait", "pi-1", "--timeout", "100ms"}) == 0);
  REQUIRE(t.run({"plan", "-f", "-", "--offline"}, site) == 0);
  CHECK_THAT(t.out, Contains("File/motd") && Contains("spec.content"));

  CHECK(t.run({"rollback", "pi-1"}) == 6);
  CHECK_THAT(t.err, Contains("--key"));
  REQUIRE(t.run({"rollback", "pi-1", "--key", alice}) == 0);
  CHECK(t.generation("pi-1") == 3);
  CHECK(t.signers("pi-1") == std::vector<std::string>{"alice"});
  REQUIRE(t.run({"delete", "pi-1", "--yes"}) == 0);
  CHECK_THAT(t.out, Contains("(generation 3)"));
}

} // namespace

} // namespace harmony::ctl

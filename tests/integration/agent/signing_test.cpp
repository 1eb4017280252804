// The agent's binary and harmonyctl's, with keys pinned: what a store that somebody took over can
// do.

#include <algorithm>
#include <filesystem>

#include "integration/agent/device_bed.hpp"
#include "model/manifest.hpp"
#include "support/catch.hpp"
#include "support/people.hpp"
#include "support/shell.hpp"

namespace harmony::test {

namespace {

namespace fs = std::filesystem;

/// A device that wants two of alice, bob and carol, and a file that says what it runs.
class signing_bed {
public:
  explicit signing_bed(const trust_policy& policy = two_of_three()) {
    pin(policy);
    agent.start();
  }

  void pin(const trust_policy& policy) const {
    std::string keys;
    for (const auto& each : policy.keys)
      keys += "  \"" + write_public_key(each) + "\",\n";
    write_file(config(), "[trust]\nthreshold = " + std::to_string(policy.threshold) + "\nepoch = "
                           + std::to_string(policy.epoch) + "\nkeys = [\n" + keys + "]\n");
  }

  [[nodiscard]] std::string config() const { return (site / "agent.toml").string(); }
  [[nodiscard]] std::string page() const { return (site / "page").string(); }

  /// A manifest that puts `content` into the page; `metadata` with a comma before it.
  [[nodiscard]] std::string manifest_of(generation_number generation, const std::string& content,
                                        const std::string& metadata = {},
                                        const std::string& device = "pi-1") const {
    return R"({"apiVersion":"harmony/v1","kind":"AgentManifest","metadata":{"agent":")" + device
           + R"(","generation":)" + std::to_string(generation) + metadata
           + R"(},"spec":{"resources":[)" + file_json("page", page(), content) + "]}}";
  }

  void put(const std::string& payload, const std::vector<secret_key>& keys) {
    agent.put_desired(write_envelope(signed_by(keys, payload)));
  }

  /// Waits until the newest document was refused for this reason; gives the reason told.
  std::string refusal(const std::string& reason) {
    const auto told = [](const agent_status& s) {
      return s.phase == agent_phase::rejected ? condition_of(s, "ManifestAccepted")
                                              : std::string{"accepted"};
    };
    return told(agent.await([&](const agent_status& s) { return told(s) == "False " + reason; }));
  }

  /// Waits until `generation` is in force and converged.
  bool runs(generation_number generation) {
    const auto holds = [&](const agent_status& s) {
      return s.phase == agent_phase::converged && s.observed_generation == generation;
    };
    return holds(agent.await(holds));
  }

  /// "True Signed"
  static std::string condition_of(const agent_status& s, const std::string& type) {
    const auto it = std::find_if(s.conditions.begin(), s.conditions.end(),
                                 [&](const condition& c) { return c.type == type; });
    if (it == s.conditions.end())
      return "absent";
    return (it->status == condition_state::true_ ? "True " : "False ") + it->reason;
  }

  temp_dir site;
  agent_process agent{agent_program,
                      {"--podman", "off", "--systemd", "off", "--config", config(), "--state-dir",
                       (site / "state").string()}};
};

/// When something was last done to the page.
auto touched(const signing_bed& bed) {
  return fs::last_write_time(bed.page());
}

} // namespace

TEST_CASE("signing: two of three -> runs; all that a hostile store can offer -> refused, unmoved") {
  signing_bed bed;
  const auto first = bed.manifest_of(5, "first");
  bed.put(first, {alice, bob});
  REQUIRE(bed.runs(5));
  const auto second = bed.manifest_of(6, "second");
  bed.put(second, {carol, bob});
  REQUIRE(bed.runs(6));
  CHECK(signing_bed::condition_of(bed.agent.status(), "ManifestVerified") == "True Signed");
  CHECK(read_file(bed.page()) == "second");
  CHECK(becomes([&] { // who signed it is on record
    return read_file(bed.site / "state" / "audit.log").find(key_id_of(carol.pub().key))
           != std::string::npos;
  }));
  const auto before = touched(bed);

  const auto evil = bed.manifest_of(7, "evil");
  auto flipped = signed_by({alice, bob}, evil);
  flipped.payload[flipped.payload.find("evil")] ^= 1;
  auto repeated = signed_by({alice}, evil);
  repeated.signatures.resize(3, repeated.signatures.front());
  struct attack {
    const char* what;
    std::string document;
    const char* reason;
  };
  const auto sealed = [](const std::string& payload) {
    return write_envelope(signed_by({alice, bob}, payload));
  };
  const std::vector<attack> attacks{
    {"unsigned", evil, "Unsigned"},
    {"one signature", write_envelope(signed_by({alice}, evil)), "SignatureInvalid"},
    {"one signature, thrice", write_envelope(repeated), "SignatureInvalid"},
    {"keys that are not pinned", write_envelope(signed_by({alice, mallory}, evil)),
     "SignatureInvalid"},
    {"one bit flipped", write_envelope(flipped), "SignatureInvalid"},
    {"another type", write_envelope(signed_by({alice, bob}, evil, "text/plain")),
     "InvalidDocument"},
    {"an envelope cut short", sealed(evil).substr(0, 200), "InvalidDocument"},
    {"an older one played back", sealed(first), "GenerationRegressed"},
    {"the same generation with other content", sealed(bed.manifest_of(6, "other")),
     "GenerationRegressed"},
    {"another device's", sealed(bed.manifest_of(7, "evil", "", "pi-2")), "WrongAgent"},
    {"expired", sealed(bed.manifest_of(7, "evil", R"(,"expiresAt":"2026-01-01T00:00:00Z")")),
     "Expired"},
  };
  const auto try_all = [&] {
    for (const auto& each : attacks) {
      INFO(each.what);
      bed.agent.put_desired(each.document);
      CHECK(bed.refusal(each.reason) == std::string{"False "} + each.reason);
      CHECK(bed.agent.status().observed_generation == 6);
      CHECK(read_file(bed.page()) == "second");
      CHECK(touched(bed) == before);
    }
  };
  try_all();
  SECTION("after a restart, as well") {
    CHECK(bed.agent.stop() == 0);
    bed.agent.start();
    try_all();
  }
  SECTION("after it was killed, as well") {
    bed.agent.kill();
    bed.agent.start();
    try_all();
  }
  // And it still takes what is good.
  bed.put(bed.manifest_of(7, "third"), {alice, carol});
  CHECK(bed.runs(7));
  CHECK(read_file(bed.page()) == "third");
}

TEST_CASE("signing: keys are changed -> the new epoch ends the old one, also by configuration") {
  signing_bed bed;
  bed.put(bed.manifest_of(5, "old"), {alice, bob});
  REQUIRE(bed.runs(5));
  // alice leaves, dave comes.
  const secret_key dave{std::string(32, 'd'), "dave"};
  auto policy = two_of_three();
  policy.keys.push_back(dave.pub());
  bed.pin(policy);
  CHECK(bed.agent.stop() == 0);
  bed.agent.start();
  REQUIRE(bed.runs(5));
  bed.put(bed.manifest_of(1, "new", R"(,"keyEpoch":2)"), {dave, bob});
  REQUIRE(bed.runs(1));
  bed.put(bed.manifest_of(99, "old keys"), {alice, bob});
  CHECK(bed.refusal("GenerationRegressed") == "False GenerationRegressed");

  policy.keys.erase(policy.keys.begin()); // alice's
  policy.epoch = 2;
  bed.pin(policy);
  CHECK(bed.agent.stop() == 0);
  bed.agent.start();
  CHECK(bed.refusal("GenerationRegressed") == "False GenerationRegressed");
  CHECK(read_file(bed.page()) == "new");
  bed.put(bed.manifest_of(2, "newer", R"(,"keyEpoch":2)"), {alice, dave});
  CHECK(bed.refusal("SignatureInvalid") == "False SignatureInvalid");
  bed.put(bed.manifest_of(2, "newer", R"(,"keyEpoch":2)"), {carol, dave});
  CHECK(bed.runs(2));

  // On record, in this order, and readable: who was trusted from when on.
  const auto shown = shell(agent_program + " --agent-id pi-1 --state-dir "
                           + (bed.site / "state").string() + " audit show -n 0");
  INFO(shown);
  std::size_t at = 0;
  for (const auto& row :
       {std::string{"trust-added       pinned key alice          agent         "}
          + write_public_key(alice.pub()) + " (first seen)",
        "trust-added       pinned key dave           agent         " + write_public_key(dave.pub())
          + "\n",
        std::string{"trust-changed     key epoch                 agent         2; was 1"},
        "trust-removed     pinned key alice          agent         was "
          + write_public_key(alice.pub())}) {
    at = shown.find(row, at);
    INFO(row);
    CHECK(at != std::string::npos);
  }
  const std::string first = "trust-added       pinned key alice";
  CHECK(shown.find(first, shown.find(first) + 1) == std::string::npos); // not at each start
}

TEST_CASE("signing: a database of somebody else's in place of its own -> nothing of it runs") {
  signing_bed bed;
  bed.put(bed.manifest_of(5, "mine"), {alice, bob});
  REQUIRE(bed.runs(5));
  CHECK(bed.agent.stop() == 0);
  // As an agent without pins would have kept it.
  const auto evil = bed.manifest_of(6, "evil");
  const auto hex = [](const std::string& text) {
    std::string digits(text.size() * 2 + 1, '\0');
    sodium_bin2hex(digits.data(), digits.size(),
                   reinterpret_cast<const unsigned char*>(text.data()), text.size());
    return digits.substr(0, text.size() * 2);
  };
  const auto db = (bed.site / "state" / "state.db").string();
  REQUIRE(run("python3 -c \"import sqlite3; d = sqlite3.connect('" + db
              + "'); d.execute('insert into accepted (generation, key_epoch, hash, document, "
                "accepted_at) values (6, 1, ?, ?, 0)', ('"
              + sha256_hex(evil) + "', bytes.fromhex('" + hex(evil) + "'))); d.commit()\""));
  bed.put(bed.manifest_of(6, "evil too"), {alice});
  bed.agent.start();
  CHECK(bed.agent.logged("generation 6, which this device accepted before, is not put in force"));
  CHECK(bed.refusal("SignatureInvalid") == "False SignatureInvalid");
  CHECK(signing_bed::condition_of(bed.agent.status(), "ManifestVerified") == "False Unsigned");
  CHECK(read_file(bed.page()) == "mine");
  bed.put(bed.manifest_of(7, "mine again"), {alice, bob});
  CHECK(bed.runs(7));
  CHECK(read_file(bed.page()) == "mine again");
}

TEST_CASE("signing: harmonyctl, two people one after the other -> refused, then in force") {
  signing_bed bed;
  const auto ctl = [&](const std::string& words, const std::string& as) {
    return run("HARMONY_STORE=" + bed.agent.store_url() + " HARMONY_KEY=" + (bed.site / as).string()
               + " " + HARMONYCTL + " " + words);
  };
  for (const auto& each : {alice, bob}) {
    const auto file = bed.site / (each.pub().name + ".key");
    write_file(file, each.text() + "\n");
    fs::permissions(file, fs::perms{0600});
  }
  const auto manifest_file = (bed.site / "site.yaml").string();
  write_file(manifest_file, bed.manifest_of(1, "by both"));
  REQUIRE(ctl("apply -f " + manifest_file, "alice.key"));
  CHECK(bed.refusal("SignatureInvalid") == "False SignatureInvalid");
  CHECK(ctl("apply -f " + manifest_file + " --wait=20s", "bob.key"));
  CHECK(read_file(bed.page()) == "by both");
  write_file(manifest_file, bed.manifest_of(1, "by bob"));
  REQUIRE(ctl("apply -f " + manifest_file, "bob.key"));
  CHECK(bed.refusal("SignatureInvalid") == "False SignatureInvalid");
  REQUIRE(ctl("rollback pi-1 --to 1", "alice.key"));
  CHECK(bed.refusal("SignatureInvalid") == "False SignatureInvalid");
  REQUIRE(ctl("get manifest pi-1 --envelope -o json > " + (bed.site / "back").string()
                + " && HARMONY_KEY=" + (bed.site / "bob.key").string() + " " + HARMONYCTL + " sign "
                + (bed.site / "back").string() + " --into " + (bed.site / "both").string(),
              "none"));
  CHECK(ctl("apply -f " + (bed.site / "both").string() + " --wait=20s", "bob.key"));
  CHECK(read_file(bed.page()) == "by both");
}

TEST_CASE("signing: a mistake in the pins -> the agent does not start, rather than trust anybody") {
  signing_bed bed;
  bed.put(bed.manifest_of(1, "mine"), {alice, bob});
  REQUIRE(bed.runs(1));
  CHECK(bed.agent.stop() == 0);
  write_file(bed.config(), "[trust]\nthreshold = 3\nkeys = [\"ed25519:AAAA alice\"]\n");
  bed.agent.start();
  CHECK(bed.agent.ended(std::chrono::seconds{10}));
  CHECK(bed.agent.ending() == 2);
  CHECK(bed.agent.log().find("agent.toml:3:9: trust.keys") != std::string::npos);
}

} // namespace harmony::test

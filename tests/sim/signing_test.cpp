// A device that pins keys: what it takes, what it remembers, and what it says.
#include <algorithm>

#include "sim/world.hpp"
#include "support/catch.hpp"
#include "support/people.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;

void pin_two_of_three(agent_config& c) {
  c.trust = two_of_three();
}

std::string signed_manifest(generation_number generation, const std::string& resources,
                            const std::vector<secret_key>& keys = {alice, bob},
                            const std::string& metadata = {}) {
  auto text = manifest_json(generation, resources);
  const std::string after = "\"generation\":" + std::to_string(generation);
  text.insert(text.find(after) + after.size(), metadata);
  return write_envelope(signed_by(keys, text));
}

/// "True Signed", "False NoPinnedKeys", "absent".
std::string told(world& w, const std::string& type) {
  const auto all = w.status().conditions;
  const auto it =
    std::find_if(all.begin(), all.end(), [&](const auto& c) { return c.type == type; });
  if (it == all.end())
    return "absent";
  static constexpr std::array names{"True ", "False ", "Unknown "};
  return names.at(static_cast<std::size_t>(it->status)) + it->reason;
}

/// Puts a database of another past in place of the device's own.
void remember(world& w, generation_number generation, const std::string& document,
              const std::string& payload) {
  REQUIRE(w.state->save_accepted(generation, 1, sha256_hex(payload), document).ok());
}

} // namespace

TEST_CASE("signing: signed by enough -> converged, and by whom is told") {
  world w{pin_two_of_three};
  w.start();
  w.put_desired(signed_manifest(1, file_json("a", "1")));
  CHECK(w.status().phase == agent_phase::converged);
  CHECK(told(w, "ManifestVerified") == "True Signed");
  CHECK(told(w, "DesiredStale") == "absent");
}

TEST_CASE("signing: one signature, then the second on the same bytes -> refused, then in force") {
  world w{pin_two_of_three};
  w.start();
  w.put_desired(signed_manifest(1, file_json("a", "1"), {carol}));
  CHECK(w.status().phase == agent_phase::rejected);
  CHECK(told(w, "ManifestAccepted") == "False SignatureInvalid");
  CHECK(w.device.log.empty());
  w.put_desired(signed_manifest(1, file_json("a", "1"), {carol, alice}));
  CHECK(w.status().phase == agent_phase::converged);
  // A third one changes nothing, and neither does one less.
  const auto done = w.device.log;
  w.put_desired(signed_manifest(1, file_json("a", "1"), {carol, alice, bob}));
  w.put_desired(signed_manifest(1, file_json("a", "1"), {bob, alice}));
  CHECK(w.status().phase == agent_phase::converged);
  CHECK(w.device.log == done);
}

TEST_CASE("signing: the pins change at a restart -> what they do not cover is not run; what runs "
          "stays; signed anew it is in force again") {
  std::unique_ptr<state_store> memory;
  {
    world w;
    w.start();
    w.put_desired(signed_manifest(3, file_json("a", "1"), {mallory}));
    REQUIRE(w.status().phase == agent_phase::converged);
    CHECK(told(w, "ManifestVerified") == "False NoPinnedKeys");
    w.stop();
    memory = std::move(w.state);
  }
  world w{pin_two_of_three};
  w.state = std::move(memory);
  w.device.things["/srv/a"].revision = "as it was";
  w.start();
  CHECK(w.status().phase == agent_phase::rejected);
  CHECK(told(w, "ManifestAccepted") == "False SignatureInvalid");
  CHECK(told(w, "ManifestVerified") == "False SignatureInvalid");
  CHECK(w.device.log.empty());
  SECTION("an older generation, well signed -> refused all the same") {
    w.put_desired(signed_manifest(2, file_json("a", "0")));
    CHECK(told(w, "ManifestAccepted") == "False GenerationRegressed");
    CHECK(w.device.log.empty());
  }
  SECTION("the same, well signed -> in force") {
    w.put_desired(signed_manifest(3, file_json("a", "1")));
    CHECK(w.status().phase == agent_phase::converged);
    CHECK(told(w, "ManifestVerified") == "True Signed");
  }
  SECTION("a newer one -> in force") {
    w.put_desired(signed_manifest(4, file_json("a", "2")));
    CHECK(w.status().phase == agent_phase::converged);
  }
}

TEST_CASE("signing: a database that somebody put in place -> nothing of it runs") {
  world w{pin_two_of_three};
  const auto evil = manifest_json(9, file_json("a", "evil"));
  auto foreign = evil;
  foreign.replace(foreign.find("pi-1"), 4, "pi-9");
  SECTION("unsigned") {
    remember(w, 9, evil, evil);
  }
  SECTION("signed by too few") {
    remember(w, 9, write_envelope(signed_by({alice, mallory}, evil)), evil);
  }
  SECTION("of another device") {
    remember(w, 9, write_envelope(signed_by({alice, bob}, foreign)), foreign);
  }
  SECTION("as one to go back to") {
    remember(w, 8, evil, evil);
    REQUIRE(w.state->save_ending(8, 1, generation_ending::converged).ok());
    const auto good = manifest_json(9, file_json("b", "1"));
    remember(w, 9, write_envelope(signed_by({alice, bob}, good)), good);
    REQUIRE(w.state->save_ending(9, 1, generation_ending::rolled_back, "it was not ready").ok());
  }
  w.start();
  w.run_for(120s);
  CHECK(w.device.things.count("/srv/a") == 0);
}

TEST_CASE(
  "signing: a higher key epoch -> from then on a lower one is refused, after a restart too") {
  world w{pin_two_of_three};
  w.start();
  w.put_desired(signed_manifest(7, file_json("a", "1")));
  w.put_desired(signed_manifest(1, file_json("a", "2"), {alice, bob}, R"(,"keyEpoch":2)"));
  REQUIRE(w.status().phase == agent_phase::converged);
  const auto done = w.device.log;
  SECTION("at once") {}
  SECTION("after a restart") {
    w.stop();
    w.start();
  }
  w.put_desired(signed_manifest(8, file_json("a", "3")));
  CHECK(told(w, "ManifestAccepted") == "False GenerationRegressed");
  CHECK(w.device.log == done);
}

TEST_CASE("signing: not ready in time -> back to the last one that converged and is signed") {
  world w{pin_two_of_three};
  w.start();
  w.put_desired(signed_manifest(1, file_json("a", "1")));
  REQUIRE(w.status().phase == agent_phase::converged);
  w.device.broken["/srv/b"] = {ec::disk_full, "no space left"};
  w.put_desired(signed_manifest(2, file_json("a", "2") + "," + file_json("b", "1")));
  w.run_for(601s);
  CHECK(told(w, "ManifestAccepted") == "False RolledBack");
  CHECK(told(w, "ManifestVerified") == "True Signed");
  CHECK(w.status().observed_generation == 1);
  CHECK(w.standing("File/a") == "Ready");
}

TEST_CASE("signing: the accepted manifest expires, online or not -> it runs on, DesiredStale") {
  world w{pin_two_of_three};
  w.start();
  w.put_desired(signed_manifest(1, file_json("a", "1"), {alice, bob},
                                R"(,"expiresAt":"2030-01-01T00:00:00Z")"));
  REQUIRE(w.status().phase == agent_phase::converged);
  CHECK(told(w, "DesiredStale") == "False Fresh");
  SECTION("connected") {
    w.step_clock(std::chrono::hours{24 * 365 * 5});
    w.run_for(80s);
  }
  SECTION("not connected") {
    w.link.set_connected(false);
    w.settle();
    w.step_clock(std::chrono::hours{24 * 365 * 5});
    w.run_for(80s);
    w.link.set_connected(true);
    w.settle();
  }
  CHECK(told(w, "DesiredStale") == "True Expired");
  w.drift("/srv/a");
  CHECK(w.standing("File/a") == "Ready");
  w.put_desired(signed_manifest(2, file_json("a", "2")));
  CHECK(told(w, "DesiredStale") == "False NoExpiry");
}

TEST_CASE("signing: an expired manifest -> refused, what is there runs on, DesiredStale till a new "
          "one comes") {
  world w{pin_two_of_three};
  w.start();
  w.put_desired(signed_manifest(1, file_json("a", "1")));
  w.put_desired(signed_manifest(2, file_json("a", "2"), {alice, bob},
                                R"(,"expiresAt":"2020-01-01T00:00:00Z")"));
  CHECK(told(w, "ManifestAccepted") == "False Expired");
  CHECK(told(w, "DesiredStale") == "True Expired");
  CHECK(w.standing("File/a") == "Ready");
  w.put_desired(signed_manifest(3, file_json("a", "3")));
  CHECK(w.status().phase == agent_phase::converged);
  CHECK(told(w, "DesiredStale") == "False NoExpiry");
}

TEST_CASE("signing: first boot in 1970 -> expiry stays open until the clock comes, and is judged "
          "then") {
  world w{pin_two_of_three};
  w.step_clock(-std::chrono::hours{24 * 365 * 56});
  w.start();
  // Expired by any clock that can be right.
  w.put_desired(signed_manifest(1, file_json("a", "0"), {alice, bob},
                                R"(,"expiresAt":"2020-01-01T00:00:00Z")"));
  CHECK(told(w, "ManifestAccepted") == "False Expired");
  w.put_desired(signed_manifest(2, file_json("a", "1"), {alice, bob},
                                R"(,"expiresAt":"2030-01-01T00:00:00Z")"));
  CHECK(w.status().phase == agent_phase::converged);
  CHECK(told(w, "DesiredStale") == "Unknown ClockNotSet");
  const auto [years, wanted] =
    GENERATE(table<int, std::string>({{57, "False Fresh"}, {70, "True Expired"}}));
  w.step_clock(std::chrono::hours{24 * 365 * years});
  w.run_for(80s);
  CHECK(told(w, "DesiredStale") == wanted);
  CHECK(w.status().phase == agent_phase::converged);
}

} // namespace harmony::test

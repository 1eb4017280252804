// Turning out one of a device's keys, and what a server without a folder of JWTs does of it.
#include <filesystem>

#include "fleet_bed.hpp"
#include "identity/login.hpp"
#include "support/agent_process.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"

namespace harmony::test {

namespace {

using std::chrono::steady_clock;

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Another key for pi-1, let in beside the one that it has.
store_options second_key_of_pi_1(const fleet_bed& bed) {
  auto who = bed.device("pi-1");
  who.nkey = bed.path("second.nk");
  who.credentials = bed.path("second.jwt");
  const auto key = load_or_make_key(who.nkey, nkey_kind::user).value();
  bed.ctl({"credentials", "pi-1", "--keys", bed.keys(), "--for", key.public_key(), "--out",
           who.credentials});
  return who;
}

std::string public_key_of(const store_options& who) {
  return load_key(who.nkey).value().public_key();
}

} // namespace

TEST_CASE("access: revoke --for one key of a device -> that one out, its other and other devices "
          "stay, also over a restart of the server") {
  fleet_bed bed{trust_mode::operator_mode};
  const auto first = bed.device("pi-1");
  const auto second = second_key_of_pi_1(bed);
  const auto by_first = open_as(first);
  const auto by_second = open_as(second);
  const auto other = open_as(bed.device("pi-2"));
  states gone{*by_first};

  const auto asked = steady_clock::now();
  CHECK(holds(bed.ctl({"revoke", "pi-1", "--keys", bed.keys(), "--for", public_key_of(first)}),
              "1 key of 'pi-1' revoked"));
  CHECK(gone.says(false, "User Authentication Revoked"));
  CHECK(since(asked) <= milliseconds{5000});
  CHECK(gone.says(false, "Authorization Violation"));
  CHECK(by_second->get(bucket::desired_state, "pi-1", ample));
  CHECK(other->get(bucket::desired_state, "pi-2", ample));

  bed.server().kill();
  bed.server().start();
  CHECK(states{*by_second}.reaches(true));
  CHECK(states{*other}.reaches(true));
  CHECK_FALSE(by_first->get(bucket::desired_state, "pi-1", ample));

  SECTION("a key that is none of that device's -> nothing is revoked, and it says so") {
    const auto done = bed.try_ctl(
      {"revoke", "pi-1", "--keys", bed.keys(), "--for", public_key_of(bed.device("pi-2"))});
    CHECK(done.code == 3);
    CHECK(holds(done.err, "and the key '" + public_key_of(bed.device("pi-2")) + "'"));
    CHECK(other->get(bucket::desired_state, "pi-2", ample));
  }
  SECTION("the device without --for -> its other key out as well") {
    states rest{*by_second};
    CHECK(holds(bed.ctl({"revoke", "pi-1", "--keys", bed.keys()}), "2 keys of 'pi-1' revoked"));
    CHECK(rest.says(false, "User Authentication Revoked"));
  }
}

TEST_CASE("access: revoke with an older copy of the folder -> whom the server has turned out stays "
          "out, and the copy knows them") {
  fleet_bed bed{trust_mode::operator_mode};
  const auto copy = bed.path("copy");
  const auto copy_again = bed.path("copy-again");
  for (const auto& each : {copy, copy_again})
    std::filesystem::copy(bed.keys(), each);
  bed.ctl({"revoke", "pi-1", "--keys", bed.keys()});
  const auto is_out = [&](const char* id) {
    const auto opened = open_store(bed.device(id));
    REQUIRE(opened);
    return states{**opened}.says(false, "Authorization Violation");
  };
  CHECK(is_out("pi-1"));

  bed.ctl({"revoke", "pi-2", "--keys", copy});
  CHECK(is_out("pi-1"));
  CHECK(is_out("pi-2"));
  CHECK(holds(read_file(copy + "/revoked"), public_key_of(bed.device("pi-1"))));

  // And by a configuration, which the server takes when it is newer than what it has.
  std::filesystem::remove_all(bed.keys());
  std::filesystem::rename(copy_again, bed.keys());
  const auto later = std::chrono::system_clock::now() + std::chrono::seconds{3};
  REQUIRE(eventually([&] { return std::chrono::system_clock::now() > later; }, patience));
  bed.use({});
  CHECK(is_out("pi-1"));
  CHECK(is_out("pi-2"));
}

TEST_CASE("access: revoke with a server that keeps no JWTs -> noted, in force with the next "
          "configuration and reload") {
  fleet_bed bed{trust_mode::operator_mode, {"--in-memory"}};
  const auto device = open_as(bed.device("pi-1"));
  const auto other = open_as(bed.device("pi-2"));
  states state{*device};

  const auto done = bed.try_ctl({"revoke", "pi-1", "--keys", bed.keys()});
  CAPTURE(done.out, done.err, done.code);
  CHECK(done.code == 3);
  CHECK(holds(done.err, "the server does not know yet"));
  CHECK(holds(done.err, ".CLAIMS.LOOKUP'"));                // which none of this kind answers
  CHECK(device->get(bucket::desired_state, "pi-1", ample)); // as it says: still in

  const auto old_config = bed.config();
  // Not in the second of the one before, which the operator's JWT would not show.
  const auto second = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  REQUIRE(eventually(
    [&] { return std::chrono::system_clock::now() > second + std::chrono::seconds{1}; }, patience));
  bed.write_config();
  bed.server().reload(bed.config());
  CHECK(state.reaches(false));
  CHECK(state.says(false, "Authorization Violation"));
  CHECK(other->get(bucket::desired_state, "pi-2", ample));

  bed.server().reload(old_config); // which the documentation warns of
  CHECK(state.reaches(true));
}

} // namespace harmony::test

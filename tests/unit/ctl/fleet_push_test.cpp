// revoke, told to a server: what its account has turned out is not forgotten.
#include "apps/ctl/account_claims.hpp"
#include "fixture.hpp"
#include "identity/jwt.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace harmony::ctl {

namespace {

using Catch::Matchers::Contains;
using std::chrono::seconds;

const auto noon_s = std::chrono::floor<seconds>(noon);

std::string new_key() {
  return nkey_pair::make(nkey_kind::user).public_key();
}

/// A fleet with pi-7, and a server that has its account as `theirs` and keeps what it is sent.
struct fleet_desk : terminal {
  fleet_desk() {
    REQUIRE(run({"server-config", "--keys", keys}) == 0);
    REQUIRE(run({"credentials", "pi-7", "--for", key, "--keys", keys}) == 0);
    theirs = account_with({});
    server = [this](const std::string& subject, const std::string& payload) {
      asked.push_back(subject);
      if (subject == "$SYS.REQ.CLAIMS.UPDATE") {
        sent = payload;
        return outcome<std::string>{std::string{R"({"data":{"code":200}})"}};
      }
      return theirs;
    };
  }

  [[nodiscard]] std::string account_with(const revocations& revoked, seconds later = {}) const {
    auto ring = load_keyring(keys).value();
    ring.revoked = revoked;
    return fleet_account_jwt(ring, noon_s + later).value();
  }
  int revoke() { return run({"revoke", "pi-7", "--keys", keys}); }
  [[nodiscard]] account_on_server of_sent() const {
    return read_fleet_account(load_keyring(keys).value(), sent).value();
  }

  test::temp_dir folder;
  std::string keys = (folder / "keys").string();
  std::string key = new_key();
  outcome<std::string> theirs = std::string{};
  std::vector<std::string> asked;
  std::string sent; ///< the account in the last update
};

} // namespace

TEST_CASE("revoke: the server's account has others turned out -> kept, also in the folder") {
  fleet_desk t;
  const auto other = new_key();
  t.theirs = t.account_with({{other, noon_s - seconds{100}}, {t.key, noon_s - seconds{100}}});
  REQUIRE(t.revoke() == 0);
  const revocations all{{other, noon_s - seconds{100}}, {t.key, noon_s}};
  CHECK(t.of_sent().revoked == all);
  CHECK(load_keyring(t.keys)->revoked == all);
  CHECK_THAT(t.asked.front(),
             Contains(load_keyring(t.keys)->fleet.public_key() + ".CLAIMS.LOOKUP"));
}

TEST_CASE("revoke: turned out at two times -> the later holds, whoever has it") {
  fleet_desk t;
  t.theirs = t.account_with({{t.key, noon_s + seconds{100}}});
  REQUIRE(t.revoke() == 0);
  CHECK(t.of_sent().revoked == revocations{{t.key, noon_s + seconds{100}}});
  t.theirs = t.account_with({{t.key, noon_s - seconds{100}}});
  REQUIRE(t.revoke() == 0);
  CHECK(load_keyring(t.keys)->revoked == revocations{{t.key, noon_s + seconds{100}}});
}

TEST_CASE("revoke: the server's account is of a clock that is ahead -> the update is newer still") {
  fleet_desk t;
  t.theirs = t.account_with({}, seconds{3600});
  REQUIRE(t.revoke() == 0);
  CHECK(t.of_sent().issued > noon_s + seconds{3600});
}

TEST_CASE("revoke: what the server has cannot be learnt -> nothing sent, noted, and said so") {
  fleet_desk t;
  const auto ring = load_keyring(t.keys).value();
  const auto signed_by_operator = [&](const nlohmann::json& claims) {
    return sign_jwt(ring.operator_key, {"FLEET", ring.fleet.public_key(), noon_s, {}}, claims)
      .value();
  };
  struct row {
    outcome<std::string> theirs;
    std::string said;
  };
  const auto stranger = nkey_pair::make(nkey_kind::operator_);
  for (const auto& [theirs, said] : std::vector<row>{
         {failure{ec::timed_out, "no answer"},
          "it does not tell whom it has turned out so far: no answer"},
         {std::string{}, "cannot be read"},
         {std::string{"x"}, "cannot be read"},
         {sign_jwt(stranger, {"FLEET", ring.fleet.public_key(), noon_s, {}}, {}).value(),
          "not of this fleet's operator"},
         {sign_jwt(ring.operator_key, {"CONTROL", ring.control.public_key(), noon_s, {}}, {})
            .value(),
          "not of this fleet's operator"},
         {signed_by_operator({{"revocations", {{"*", 1}}}}), "turns out '*'"},
         {signed_by_operator({{"revocations", {{t.key, "x"}}}}), "turns out '" + t.key + "'"},
         {signed_by_operator({{"revocations", 1}}), "turns out '1'"},
       }) {
    CAPTURE(said);
    t.theirs = theirs;
    CHECK(t.revoke() != 0);
    CHECK_THAT(t.err, Contains(said) && Contains("the server does not know yet"));
    CHECK(t.sent.empty());
    CHECK(load_keyring(t.keys)->revoked == revocations{{t.key, noon_s}});
  }
}

TEST_CASE("server-config: keys that are there already -> has whom the server has turned out; where "
          "that cannot be asked, a warning") {
  fleet_desk t;
  const auto other = new_key();
  t.theirs = t.account_with({{other, noon_s}});
  REQUIRE(t.run({"server-config", "--keys", t.keys, "--in-memory"}) == 0);
  CHECK(load_keyring(t.keys)->revoked.empty()); // nothing to learn from a server without a memory
  REQUIRE(t.run({"server-config", "--keys", t.keys}) == 0);
  CHECK(t.err.empty());
  CHECK(load_keyring(t.keys)->revoked == revocations{{other, noon_s}});
  CHECK_THAT(t.out, Contains(t.account_with({{other, noon_s}})));
  t.theirs = failure{ec::timed_out, "no answer"};
  REQUIRE(t.run({"server-config", "--keys", t.keys}) == 0);
  CHECK_THAT(t.err, Contains("an older copy") && Contains("no answer"));
}

} // namespace harmony::ctl

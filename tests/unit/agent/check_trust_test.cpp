// `harmony-agent check`: whom the device trusts, and by what it is known.
#include "apps/agent/check_trust.hpp"

#include <filesystem>

#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "identity/login.hpp"
#include "identity/secret_file.hpp"
#include "support/catch.hpp"
#include "support/people.hpp"
#include "support/temp_dir.hpp"
#include "trust/sealing.hpp"

namespace harmony::test {

namespace {

using Catch::Matchers::Contains;
using std::chrono::hours;
using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr sys_seconds noon{seconds{1'769'860'800}};

jwt_head jwt_until(std::optional<sys_seconds> end) {
  return {"pi-1", "U1", noon - hours{24}, end};
}

trust_sight good_trust() {
  trust_sight t;
  t.agent = "pi-1";
  t.state_dir = "/var/lib/harmony-agent";
  t.policy = two_of_three();
  t.running = true;
  t.wall = noon;
  t.config = hands_sight{"/etc/harmony-agent", true, 0755};
  t.verified = condition{"ManifestVerified", condition_state::true_, "Signed", "by alice", noon};
  t.device_key = outcome<std::string>{"U1"};
  t.credentials = outcome<jwt_head>{jwt_until(noon + hours{24 * 30})};
  t.sealing_key = std::string{"abcd"};
  t.secrets = {hands_sight{"/etc/harmony-agent/secrets", true, 0700}, 2, {}};
  audit_verdict v;
  v.records = v.first = 1;
  v.head = {1, std::string(64, 'a')};
  t.audit = v;
  return t;
}

/// The finding of this subject: a remedy stands exactly where something is wrong.
finding of(const trust_sight& t, const std::string& subject) {
  for (const auto& each : judge(t))
    if (each.subject == subject) {
      CHECK(each.remedy.empty() == (each.result == verdict::ok));
      return each;
    }
  FAIL("no finding about '" << subject << "'");
  return {};
}

} // namespace

TEST_CASE("judge trust: all well -> ok, and what it is that is well") {
  const auto t = good_trust();
  for (const auto& each : judge(t)) {
    INFO(each.subject << ": " << each.message);
    CHECK(each.result == verdict::ok);
    CHECK(each.subject.size() <= std::string{"configuration"}.size()); // the column's width
  }
  CHECK_THAT(of(t, "signatures").message,
             Contains("2 of alice (" + key_id_of(alice.pub().key).substr(0, 12) + "), bob (")
               && Contains("key epoch 1"));
  CHECK_THAT(of(t, "credentials").message, Contains("until 2026-03-02"));
  CHECK_THAT(of(t, "audit log").message, Contains("1 records, intact; head 1:aaaaaaaaaaaa…"));
}

TEST_CASE("judge trust: signatures -> not asked for, not read yet, not verified, stale") {
  auto t = good_trust();
  t.stale = condition{"DesiredStale", condition_state::true_, "Expired", "ended", noon};
  CHECK(of(t, "signatures").result == verdict::warn);
  t.stale->status = condition_state::unknown;
  CHECK_THAT(of(t, "signatures").remedy, Contains("clock"));
  t.stale.reset();
  t.verified->status = condition_state::false_;
  t.verified->reason = "SignatureInvalid";
  CHECK(of(t, "signatures").result == verdict::fail);
  CHECK_THAT(of(t, "signatures").message, Contains("SignatureInvalid"));
  t.verified->reason = "NoPinnedKeys";
  CHECK_THAT(of(t, "signatures").remedy, Contains("restart"));
  t.policy = {};
  CHECK(of(t, "signatures").result == verdict::warn);
  t.local_store = true;
  CHECK(of(t, "signatures").result == verdict::ok);
}

TEST_CASE("judge trust: folder of agent.toml that others may write -> fail") {
  auto t = good_trust();
  t.config->mode = 0775;
  CHECK(of(t, "config folder").result == verdict::fail);
  t.config = hands_sight{"/etc/harmony-agent", false, 0755};
  CHECK(of(t, "config folder").result == verdict::fail);
}

TEST_CASE("judge trust: device key -> missing: enroll; in the wrong hands: what to do") {
  auto t = good_trust();
  t.device_key = outcome<std::string>{failure{ec::not_found, "no such file"}};
  CHECK_THAT(of(t, "device key").remedy, Contains("harmony-agent enroll"));
  t.device_key = outcome<std::string>{failure{ec::permission_denied, "mode 0644"}};
  CHECK(of(t, "device key").result == verdict::fail);
}

TEST_CASE("judge trust: credentials -> until when; ended, ending soon, another's, of the future") {
  auto t = good_trust();
  const auto with = [&](const jwt_head& jwt) {
    t.credentials = outcome<jwt_head>{jwt};
    return of(t, "credentials");
  };
  CHECK(with(jwt_until({})).result == verdict::ok);
  CHECK_THAT(with(jwt_until({})).message, Contains("without an end"));
  CHECK(with(jwt_until(noon)).result == verdict::fail);
  CHECK_THAT(with(jwt_until(noon - hours{3})).message, Contains("ended 3h ago"));
  CHECK(with(jwt_until(noon + seconds{1})).result == verdict::warn);
  CHECK_THAT(with(jwt_until(noon + hours{49})).message, Contains("end in 2d"));
  CHECK(with(jwt_until(noon + hours{24 * 7})).result == verdict::ok);
  auto other = jwt_until({});
  other.name = "pi-2";
  CHECK_THAT(with(other).message, Contains("'pi-2'"));
  other = jwt_until({});
  other.subject = "U2";
  CHECK(with(other).result == verdict::fail);
  other = jwt_until({});
  other.issued = noon + hours{1};
  CHECK_THAT(with(other).remedy, Contains("clock"));
  t.credentials = outcome<jwt_head>{failure{ec::invalid_document, "no JWT"}};
  CHECK(of(t, "credentials").result == verdict::fail);
  t.credentials.reset();
  for (const auto& each : judge(t))
    CHECK(each.subject != "credentials"); // not configured
}

TEST_CASE("judge trust: certificate -> until when; ended, of the future, unusable") {
  auto t = good_trust();
  const auto with = [&](const outcome<certificate_head>& c) {
    t.certificate = c;
    return of(t, "certificate");
  };
  certificate_head c{"CN=pi-1", noon - hours{24}, noon + hours{24 * 30}};
  CHECK_THAT(with(c).message, Contains("that of 'CN=pi-1', until 2026-03-02"));
  c.ends = noon + hours{24};
  CHECK(with(c).result == verdict::warn);
  c.ends = noon;
  CHECK(with(c).result == verdict::fail);
  CHECK_THAT(with(c).remedy, Contains("next connection"));
  c.begins = noon + hours{1};
  CHECK_THAT(with(c).remedy, Contains("clock"));
  CHECK(with(failure{ec::permission_denied, "chmod 0600 x"}).result == verdict::fail);
}

TEST_CASE("judge trust: secrets and the sealing key -> open, another's, single files") {
  auto t = good_trust();
  t.secrets.faults = {"'a' is a secret, …", "'b' …"};
  CHECK_THAT(of(t, "secrets").message, Contains("'a' is a secret") && Contains("1 more file"));
  t.secrets.folder->mode = 0755;
  CHECK(of(t, "secrets").result == verdict::warn);
  t.secrets.folder->mode = 0777;
  CHECK(of(t, "secrets").result == verdict::fail);
  t.secrets.folder = hands_sight{"/s", false, 0700};
  CHECK(of(t, "secrets").result == verdict::fail);
  t.secrets.folder.reset();
  CHECK(of(t, "secrets").result == verdict::ok);
  t.sealing_key = failure{ec::not_found, "none"};
  CHECK(of(t, "sealing key").result == verdict::ok);
  t.sealing_key = failure{ec::permission_denied, "mode 0644"};
  CHECK(of(t, "sealing key").result == verdict::fail);
}

TEST_CASE("judge trust: audit log -> broken: fail; gaps: warn; none: only before the first start") {
  auto t = good_trust();
  auto v = *t.audit;
  v.lost = 3;
  t.audit = v;
  CHECK_THAT(of(t, "audit log").message, Contains("3 could not be kept"));
  v.intact = false;
  v.fault = "audit.log:7: …";
  t.audit = v;
  CHECK(of(t, "audit log").result == verdict::fail);
  CHECK_THAT(of(t, "audit log").remedy, Contains("keep a copy"));
  t.audit = failure{ec::not_found, "none"};
  CHECK(of(t, "audit log").result == verdict::fail);
  t.running = false;
  CHECK(of(t, "audit log").result == verdict::ok);
}

TEST_CASE(
  "look at trust: a device with keys, credentials, secrets -> seen as it is; modes wrong -> "
  "said") {
  const temp_dir at;
  const auto path = [&](const char* name) { return (at / name).string(); };
  agent_options options;
  options.agent_id = "pi-1";
  options.store = "nats://x:4222";
  options.state_dir = path("state");
  options.secrets_dir = path("secrets");
  options.store_nkey = path("device.nk");
  options.store_credentials = path("device.jwt");
  options.config = path("agent.toml");
  const auto key = load_or_make_key(options.store_nkey, nkey_kind::user).value();
  const auto jwt = sign_jwt(nkey_pair::make(nkey_kind::account),
                            {"pi-1", key.public_key(), noon, noon + hours{24}}, {{"type", "user"}})
                     .value();
  write_file(options.store_credentials, jwt + "\n");
  std::filesystem::create_directory(options.secrets_dir);
  ::chmod(options.secrets_dir.c_str(), 0700);
  REQUIRE(create_secret_file(path("secrets/good"), "x"));
  const auto sealing = sealing_key::generate();
  REQUIRE(create_secret_file(path("state/sealing.key"), std::string{sealing.text().reveal()}));

  const auto t = look_at_trust(options, noon);
  CHECK(of(t, "device key").message.find(key.public_key()) == 0);
  CHECK_THAT(of(t, "credentials").message, Contains("end in 1d"));
  CHECK_THAT(of(t, "sealing key").message, Contains(fingerprint_of(sealing.pub())));
  CHECK_THAT(of(t, "secrets").message, Contains("1 file in"));
  CHECK(of(t, "audit log").result == verdict::ok);

  ::chmod(options.store_nkey.c_str(), 0640);
  ::chmod(path("state/sealing.key").c_str(), 0604);
  write_file(path("secrets/open"), "x");
  ::chmod(path("secrets/open").c_str(), 0644);
  std::filesystem::create_symlink("/etc/passwd", path("secrets/link"));
  const auto bad = look_at_trust(options, noon);
  CHECK_THAT(of(bad, "device key").message, Contains("chmod 0600 " + options.store_nkey));
  CHECK_THAT(of(bad, "sealing key").message, Contains("chmod 0600"));
  CHECK(bad.secrets.files == 3);
  options.secrets_dir = path("agent.toml"); // no folder at all
  write_file(options.secrets_dir, "");
  CHECK(of(look_at_trust(options, noon), "secrets").result != verdict::ok);
  CHECK(bad.secrets.faults.size() == 2);
  CHECK_FALSE(bad.credentials); // the key is what is wrong
  for (const auto& each : judge(bad))
    CHECK(each.message.find(key.seed()) == std::string::npos);
}

} // namespace harmony::test

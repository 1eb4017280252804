// Who is let in: keys, JWTs, certificates; renewed, expired, revoked.
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "apps/ctl/keyring.hpp"
#include "fleet_bed.hpp"
#include "identity/jwt.hpp"
#include "identity/login.hpp"
#include "integration/hostile/certificate.hpp"
#include "support/agent_process.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"

namespace harmony::test {

namespace {

using std::chrono::steady_clock;

std::unique_ptr<store> open_any(const store_options& who) {
  auto opened = open_store(who);
  REQUIRE(opened);
  return std::move(*opened);
}

std::chrono::sys_seconds now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

/// What a device that has the scoped key itself might sign.
nlohmann::json claims_of_device(const ctl::keyring& keys) {
  return {{"type", "user"}, {"version", 2}, {"issuer_account", keys.fleet.public_key()}};
}

} // namespace

TEST_CASE("access: JWT of the scoped key that claims rights of its own -> refused") {
  fleet_bed bed{trust_mode::operator_mode};
  const auto keys = ctl::load_keyring(bed.keys()).value();
  auto who = bed.device("pi-1");
  const auto key = load_key(who.nkey).value().public_key();
  who.credentials = bed.path("greedy.jwt");
  auto claims = claims_of_device(keys);
  const auto offer = [&](const nkey_pair& by) {
    write_file(who.credentials,
               sign_jwt(by, {"pi-1", key, now(), std::nullopt}, claims).value() + "\n");
  };
  SECTION("as it should be -> let in, so that the others fail for what is wrong with them") {
    offer(keys.signer);
    CHECK(states{*open_any(who)}.reaches(true));
    return;
  }
  SECTION("more rights") {
    claims["pub"] = {{"allow", {">"}}};
    claims["sub"] = {{"allow", {">"}}};
    offer(keys.signer);
  }
  SECTION("of an account that it is no key of") {
    claims["issuer_account"] = keys.control.public_key();
    offer(keys.signer);
  }
  SECTION("signed by itself") {
    offer(load_key(who.nkey).value());
  }
  const auto device = open_any(who);
  CHECK(states{*device}.says(false, "Authorization Violation"));
}

TEST_CASE("access: JWT of pi-1 with the key of pi-2 -> refused") {
  fleet_bed bed{trust_mode::operator_mode};
  auto who = bed.device("pi-1");
  who.nkey = bed.device("pi-2").nkey;
  const auto device = open_any(who);
  CHECK(states{*device}.says(false, "Authorization Violation"));
}

TEST_CASE("access: device revoked -> out within 5 s and says why, others stay; a new key -> in") {
  fleet_bed bed{trust_mode::operator_mode};
  agent_process agent{HARMONY_AGENT, bed.agent_flags("pi-1"), bed.admin()};
  agent.start();
  const auto first =
    R"({"kind":"File","name":"a","spec":{"path":")" + bed.path("a") + R"(","content":"one"}})";
  agent.apply(first);
  REQUIRE(agent.converged());
  const auto other = open_as(bed.device("pi-2"));

  const auto asked = steady_clock::now();
  CHECK(bed.ctl({"revoke", "pi-1", "--keys", bed.keys()}).find("1 key of 'pi-1' revoked")
        != std::string::npos);
  REQUIRE(agent.logged("User Authentication Revoked"));
  const auto out = since(asked);
  WARN("revocation until the device is out: " << out.count() << " ms");
  CHECK(out <= milliseconds{5000});
  CHECK(other->get(bucket::desired_state, "pi-2", ample));
  CHECK(agent.logged("Authorization Violation")); // it asks again, and is told again
  const auto said = [&](const char* what) {
    return agent.ask_status().find(what) != std::string::npos;
  };
  CHECK(eventually([&] { return said("; now: cannot connect"); }, patience));
  CHECK(said("not connected to the store since"));
  CHECK(said("User Authentication Revoked"));
  CHECK(read_file(bed.path("a")) == "one"); // what it runs, runs on

  // What was revoked stays so over a restart of the server, also with a configuration of before.
  bed.server().kill();
  bed.server().start();
  const auto revoked = open_any(bed.device("pi-1"));
  CHECK(states{*revoked}.says(false, "Authorization Violation"));
  const auto again = load_key(bed.device("pi-1").nkey).value().public_key();
  CHECK(bed.try_ctl({"credentials", "pi-1", "--keys", bed.keys(), "--for", again}).code == 4);

  REQUIRE(eventually([&] { return agent.link().get(bucket::desired_state, "pi-1", ample).ok(); },
                     patience));

  // A new key in the same files: in without a restart of the agent.
  const auto fresh = nkey_pair::make(nkey_kind::user);
  const auto jwt =
    bed.ctl({"credentials", "pi-1", "--keys", bed.keys(), "--for", fresh.public_key()});
  write_file(bed.device("pi-1").nkey, fresh.seed() + "\n");
  write_file(bed.device("pi-1").credentials, jwt);
  agent.apply(R"({"kind":"File","name":"a","spec":{"path":")" + bed.path("a")
              + R"(","content":"two"}})");
  CHECK(agent.converged());
  CHECK(read_file(bed.path("a")) == "two");
  CHECK(eventually([&] { return agent.ask_status().empty(); }, patience));
  CHECK(agent.logged(R"("event":"trust-changed","subject":"device key","via":"agent","result":")"
                     + fresh.public_key() + "; was " + again + '"'));
}

TEST_CASE("access: device that was never let in -> nothing to revoke") {
  fleet_bed bed{trust_mode::operator_mode};
  const auto done = bed.try_ctl({"revoke", "pi-9", "--keys", bed.keys()});
  CHECK(done.code == 3);
  CHECK(done.err.find("no credentials were ever made for 'pi-9'") != std::string::npos);
}

TEST_CASE("access: device dropped from the static configuration -> out at the reload") {
  fleet_bed bed{trust_mode::static_keys};
  const auto device = open_as(bed.device("pi-1"));
  const auto other = open_as(bed.device("pi-2"));
  states state{*device};
  write_file(bed.path("pi-1.line"), "");
  bed.write_config();
  bed.server().reload(bed.config());
  CHECK(state.says(false, "Authorization Violation"));
  CHECK(other->get(bucket::desired_state, "pi-2", ample));
}

TEST_CASE("access: credentials that end -> out when they do; renewed in place -> in again") {
  fleet_bed bed{trust_mode::operator_mode};
  const auto key = load_key(bed.device("pi-1").nkey).value().public_key();
  const auto renew = [&](std::vector<std::string> more) {
    std::vector<std::string> command{"credentials", "pi-1", "--keys", bed.keys(), "--for", key};
    command.insert(command.end(), more.begin(), more.end());
    write_file(bed.device("pi-1").credentials, bed.ctl(command));
  };
  renew({"--expires", "2s"});
  const auto device = open_as(bed.device("pi-1"));
  states state{*device};
  REQUIRE(state.says(false, "User Authentication Expired"));
  renew({});
  CHECK(state.reaches(true));
}

TEST_CASE("access: key that others may read -> not used, and the log says how to mend it") {
  fleet_bed bed{trust_mode::static_keys};
  const auto who = bed.device("pi-1");
  ::chmod(who.nkey.c_str(), 0640);
  const auto device = open_any(who);
  states state{*device};
  REQUIRE(state.says(false, "chmod 0600 " + who.nkey));
  CHECK(code_of(device->get(bucket::desired_state, "pi-1", ample)) == ec::store_unavailable);
  ::chmod(who.nkey.c_str(), 0600);
  CHECK(state.reaches(true));
}

TEST_CASE("access: mutual TLS -> a certificate of the CA is asked for, beside the log-in") {
  temp_dir keys;
  const auto of_server = make_certificate(keys.str(), "server");
  const auto of_client = make_certificate(keys.str(), "client");
  const auto of_stranger = make_certificate(keys.str(), "stranger");
  for (const auto* each : {&of_client, &of_stranger})
    ::chmod(each->key.c_str(), 0600);
  fleet_bed bed{GENERATE(trust_mode::static_keys, trust_mode::operator_mode)};
  bed.use({"--tls-cert", of_server.certificate, "--tls-key", of_server.key, "--tls-ca",
           of_client.certificate});
  auto who = bed.device("pi-1");
  who.url = "tls://127.0.0.1:" + std::to_string(bed.server().port());
  who.ca_file = of_server.certificate;
  SECTION("none -> refused") {
    CHECK(states{*open_any(who)}.says(false, "cannot connect"));
  }
  SECTION("of another CA -> refused") {
    who.cert_file = of_stranger.certificate;
    who.key_file = of_stranger.key;
    CHECK(states{*open_any(who)}.says(false, "cannot connect"));
  }
  SECTION("of the CA -> let in; its key must be private") {
    who.cert_file = of_client.certificate;
    who.key_file = of_client.key;
    CHECK(states{*open_any(who)}.reaches(true));
    ::chmod(who.key_file.c_str(), 0644);
    CHECK(states{*open_any(who)}.says(false, "chmod 0600 " + who.key_file));
  }
}

} // namespace harmony::test

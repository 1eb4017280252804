#include "trust/trust_policy.hpp"

#include "support/catch.hpp"
#include "support/people.hpp"

namespace harmony::test {

namespace {

using Catch::Matchers::Contains;

const std::string payload = R"({"kind":"AgentManifest"})";

failure refusal(const std::string& document, const trust_policy& policy = two_of_three()) {
  const auto opened = open_document(document, policy);
  return opened ? failure{ec::internal, "accepted"} : opened.error();
}

std::string document_of(const std::vector<secret_key>& keys) {
  return write_envelope(signed_by(keys, payload));
}

TEST_CASE("trust: enough pinned keys -> the payload and who signed, in the order of the pins") {
  for (const auto& [keys, signers] :
       std::vector<std::pair<std::vector<secret_key>, std::vector<named_key>>>{
         {{alice, bob}, {alice.pub(), bob.pub()}},
         {{carol, alice}, {alice.pub(), carol.pub()}},
         {{mallory, carol, bob, alice}, {alice.pub(), bob.pub(), carol.pub()}}}) {
    const auto opened = open_document(document_of(keys), two_of_three());
    REQUIRE(opened.ok());
    CHECK(opened->payload == payload);
    CHECK(opened->signers == signers);
  }
}

TEST_CASE("trust: too few -> SignatureInvalid, and who is missing") {
  const auto one = refusal(document_of({alice}));
  CHECK(one.code == ec::signature_invalid);
  CHECK_THAT(one.message, Contains("signed by only alice of alice, bob, carol, and 2 are needed"));
  CHECK(refusal(document_of({})).code == ec::signature_invalid);
  const auto stranger = refusal(document_of({alice, mallory}));
  CHECK(stranger.code == ec::signature_invalid);
  CHECK_THAT(stranger.message, Contains(key_id_of(mallory.pub().key).substr(0, 12)));
  auto twice = signed_by({alice}, payload);
  twice.signatures.push_back(twice.signatures.front());
  CHECK(refusal(write_envelope(twice)).code == ec::signature_invalid);
}

TEST_CASE("trust: no envelope where keys are pinned -> Unsigned, and what to do") {
  const auto why = refusal(payload);
  CHECK(why.code == ec::unsigned_document);
  CHECK_THAT(why.message, Contains("2 of 3 pinned keys (alice, bob, carol)") && Contains("--key"));
}

TEST_CASE("trust: a signed document of another type -> refused, however well it is signed") {
  const auto e = write_envelope(signed_by({alice, bob}, payload, "text/plain"));
  CHECK(refusal(e).code == ec::invalid_document);
  CHECK(refusal(e, {}).code == ec::invalid_document);
  CHECK_THAT(refusal(e).message, Contains("got 'text/plain'"));
}

TEST_CASE("trust: no key pinned -> any manifest, in an envelope or not; nobody is named") {
  for (const auto& document : {payload, document_of({}), document_of({mallory}),
                               std::string{R"({"content":"\"payloadType\""})"}}) {
    CAPTURE(document);
    const auto opened = open_document(document, {});
    REQUIRE(opened.ok());
    CHECK(opened->signers.empty());
  }
  CHECK(open_document(document_of({mallory}), {})->payload == payload);
  CHECK(open_document("not even JSON", {})->payload == "not even JSON");
  CHECK(refusal(R"({"payload":"=","payloadType":"t"})", {}).code == ec::invalid_document);
}

TEST_CASE("trust: the table of the configuration -> the policy") {
  const auto line = [](const secret_key& key) { return '"' + write_public_key(key.pub()) + '"'; };
  const auto read = read_trust("log-level = \"info\"\n[trust]\nthreshold = 2\nepoch = 5\nkeys = ["
                                 + line(alice) + ", " + line(bob) + ",\n" + line(carol) + "]\n",
                               "agent.toml");
  REQUIRE(read.ok());
  auto wanted = two_of_three();
  wanted.epoch = 5;
  CHECK(*read == wanted);
  CHECK(read_trust("[trust]\nkeys = [" + line(alice) + "]", "f")->threshold == 1);
  CHECK(*read_trust("store = \"dir:/x\"\n", "f") == trust_policy{});
  CHECK(describe(wanted) == "2 of 3 pinned keys (alice, bob, carol)");
}

TEST_CASE("trust: a table that is wrong -> refused with its place; never taken for no table") {
  const auto key = '"' + write_public_key(alice.pub()) + '"';
  auto other_name = alice.pub();
  other_name.name = "other";
  const auto keys = "keys = [" + key + "]\n";
  for (const auto& [table, what] : std::vector<std::pair<std::string, std::string>>{
         {"trust = 1\n", "a.toml:1:"},
         {"[trust]\n", "has no keys"},
         {"[trust]\nthreshold = 1\n", "has no keys"},
         {"[trust]\nkeys = []\n", "a.toml:2:"},
         {"[trust]\nkeys = " + key + "\n", "expected a list"},
         {"[trust]\nkeys = [1]\n", "expected a text"},
         {"[trust]\nkeys = [\"alice\"]\n", "expected a public key"},
         {"[trust]\nkeys = [" + key + "," + key + "]\n", "twice"},
         {"[trust]\nkeys = [" + key + ",\"" + write_public_key(other_name) + "\"]\n", "twice"},
         {"[trust]\nthreshold = 2\n" + keys, "a.toml:2:13: trust.threshold"},
         {"[trust]\nthreshold = 0\n" + keys, "from 1 to 1"},
         {"[trust]\nthreshold = \"1\"\n" + keys, "from 1 to 1"},
         {"[trust]\nepoch = 0\n" + keys, "trust.epoch"},
         {"[trust]\nepoch = 4294967296\n" + keys, "trust.epoch"},
         {"[trust]\nkey = 1\n" + keys, "trust.key: there is no such option"},
         {"[trust\n", "a.toml:1"}}) {
    CAPTURE(table);
    const auto read = read_trust(table, "a.toml");
    REQUIRE_FALSE(read.ok());
    CHECK_THAT(read.error().message, Contains(what));
  }
}

} // namespace

} // namespace harmony::test

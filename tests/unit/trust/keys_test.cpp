#include "trust/keys.hpp"

#include "support/catch.hpp"
#include "support/people.hpp"

namespace harmony::test {

namespace {

struct vector_8032 {
  const secret_key& key;
  const char* public_hex;
  std::string message;
  const char* signature;
};

TEST_CASE("keys: the vectors of RFC 8032 -> their public keys and signatures") {
  for (const auto& v :
       {vector_8032{alice, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
                    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33"
                    "bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
        vector_8032{bob, "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
                    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e159"
                    "96e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
        vector_8032{carol, "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
                    "af82",
                    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f"
                    "290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"}}) {
    CAPTURE(v.key.pub().name);
    const auto& bytes = v.key.pub().key.bytes;
    CHECK(std::string(bytes.begin(), bytes.end()) == unhex(v.public_hex));
    const auto message = unhex(v.message);
    CHECK(v.key.sign(message) == unhex(v.signature));
    CHECK(verifies(v.key.pub().key, message, unhex(v.signature)));
    CHECK_FALSE(verifies(mallory.pub().key, message, unhex(v.signature)));
    CHECK_FALSE(verifies(v.key.pub().key, message + "x", unhex(v.signature)));
    CHECK_FALSE(verifies(v.key.pub().key, message, unhex(v.signature).substr(1)));
    CHECK_FALSE(verifies(v.key.pub().key, message, ""));
  }
}

TEST_CASE("keys: a public key written -> the line that is read back, line break or not") {
  const auto line = write_public_key(alice.pub());
  CHECK(line == "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= alice");
  CHECK(*read_public_key(line) == alice.pub());
  CHECK(*read_public_key(line + "\n") == alice.pub());
}

TEST_CASE("keys: a secret key written -> read back; its line is no public key, and the reverse") {
  const auto again = read_secret_key(alice.text() + "\n");
  REQUIRE(again.ok());
  CHECK(again->pub() == alice.pub());
  CHECK(again->sign("m") == alice.sign("m"));
  CHECK_FALSE(read_public_key(alice.text()).ok());
  CHECK_FALSE(read_secret_key(write_public_key(alice.pub())).ok());
}

TEST_CASE("keys: a key id -> the SHA-256 of the 32 bytes") {
  CHECK(key_id_of(alice.pub().key)
        == "21fe31dfa154a261626bf854046fd2271b7bed4b6abe45aa58877ef47f9721b9");
}

TEST_CASE("keys: lines that are none -> refused, and a secret is not told") {
  const std::string good = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
  for (const auto& bad : std::vector<std::string>{
         std::string{}, std::string{"\n"}, good + " alice", "ed25519:" + good,
         "ed25519:" + good + " ", "ed25519:" + good + "  alice", "ed25519: " + good + " alice",
         "ed25519:" + good + " alice\n\n", "ed25519:" + good + " alice bob",
         "ed25519:" + good + " Alice", "ed25519:" + good.substr(1) + " alice",
         "ed25519:" + good.substr(0, 43) + " alice",
         // Unused bits that are not zero; the URL-safe alphabet; 31 bytes.
         "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURp= alice",
         "ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo= alice",
         "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHUQ== alice",
         "ed25519:" + good + " " + std::string(300, 'a')}) {
    CAPTURE(bad);
    const auto read = read_public_key(bad);
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().code == ec::invalid_spec);
    const auto secret =
      read_secret_key(bad.rfind("ed25519:", 0) == 0 ? "ed25519-secret:" + bad.substr(8) : bad);
    REQUIRE_FALSE(secret.ok());
    CHECK(secret.error().message.find(good) == std::string::npos);
  }
}

TEST_CASE("keys: points under which anything verifies, or that are none -> no public keys") {
  for (const auto* weak : {"0100000000000000000000000000000000000000000000000000000000000000",
                           "0000000000000000000000000000000000000000000000000000000000000000",
                           "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                           "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                           "0200000000000000000000000000000000000000000000000000000000000000"}) {
    CAPTURE(weak);
    named_key key{{}, "weak"};
    const auto bytes = unhex(weak);
    std::copy(bytes.begin(), bytes.end(), key.key.bytes.begin());
    CHECK_FALSE(read_public_key(write_public_key(key)).ok());
  }
}

} // namespace

} // namespace harmony::test

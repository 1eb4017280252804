#include "trust/sealing.hpp"

#include "model/base64.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

const resource_id db{"Container", "db"};

std::string sealed_to(const sealing_key& key, const std::string& secret,
                      const std::optional<resource_id>& only_for = {}) {
  return seal(key.pub(), secret, only_for).value();
}

std::string opened(const sealing_key& key, const std::string& sealed, const resource_id& user) {
  const auto secret = key.open(sealed, user);
  return secret ? std::string{secret->reveal()} : secret.error().message;
}

} // namespace

TEST_CASE("sealing: any bytes -> the same on the device, for any resource") {
  const auto key = sealing_key::generate();
  for (const auto& secret : {std::string{}, std::string{"s3cret\n"}, std::string{"a\0b\xFF", 4},
                             std::string(100'000, 'x')}) {
    CHECK(opened(key, sealed_to(key, secret), db) == secret);
    CHECK(opened(key, sealed_to(key, secret), {"File", "other"}) == secret);
  }
}

TEST_CASE("sealing: the same secret twice -> two texts, which say nothing of each other") {
  const auto key = sealing_key::generate();
  CHECK(sealed_to(key, "s3cret") != sealed_to(key, "s3cret"));
}

TEST_CASE("sealing: for one resource -> that one alone") {
  const auto key = sealing_key::generate();
  const auto sealed = sealed_to(key, "s3cret", db);
  CHECK(opened(key, sealed, db) == "s3cret");
  const auto other = key.open(sealed, {"File", "shown"});
  REQUIRE_FALSE(other);
  CHECK(other.error().code == ec::secret_unavailable);
  CHECK_THAT(other.error().message,
             Catch::Contains("another resource") && !Catch::Contains("s3cret"));
}

TEST_CASE("sealing: another device, a changed bit, rubbish -> refused") {
  const auto key = sealing_key::generate();
  const auto sealed = sealed_to(key, "s3cret");
  CHECK_THAT(opened(sealing_key::generate(), sealed, db), Catch::Contains("for another device"));
  auto bytes = decode_base64(sealed).value();
  for (const auto at : {std::size_t{0}, bytes.size() / 2, bytes.size() - 1}) {
    auto changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    CHECK_FALSE(key.open(encode_base64(changed), db));
  }
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK_FALSE(key.open(encode_base64(bytes.substr(0, size)), db));
  CHECK_FALSE(key.open("no base64!", db));
}

TEST_CASE("sealing: key -> its text and back; anything else -> refused without repeating it") {
  const auto key = sealing_key::generate();
  const auto text = std::string{key.text().reveal()};
  const auto again = sealing_key::read(text + "\n");
  REQUIRE(again);
  CHECK(again->pub() == key.pub());
  CHECK(again->mark("x") == key.mark("x"));
  CHECK(read_sealing_public(write_sealing_public(key.pub())).value() == key.pub());
  for (const auto& bad : {std::string{}, std::string{"x25519-secret:"}, text.substr(1),
                          text.substr(0, text.size() - 1), text + "x"}) {
    const auto read = sealing_key::read(bad);
    REQUIRE_FALSE(read);
    CHECK_THAT(read.error().message, !Catch::Contains(text.substr(20, 10)));
    CHECK_FALSE(read_sealing_public(bad));
  }
}

TEST_CASE("sealing: key that no device has -> refused") {
  CHECK_FALSE(seal(sealing_public{}, "s3cret", {})); // the point of order one
}

TEST_CASE("sealing: known keys -> known text and fingerprint") {
  // RFC 7748, section 6.1: Alice's keys.
  const auto alice =
    sealing_key::read("x25519-secret:dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=").value();
  CHECK(write_sealing_public(alice.pub()) == "x25519:hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=");
  CHECK(fingerprint_of(alice.pub()).size() == 8 * 4 + 7);
}

TEST_CASE("sealing: mark -> equal for equal values, of this key, and no plain hash") {
  const auto key = sealing_key::generate();
  CHECK(key.mark("a") == key.mark("a"));
  CHECK(key.mark("a") != key.mark("b"));
  CHECK(key.mark("a") != sealing_key::generate().mark("a"));
}

} // namespace harmony::test

#include "identity/nkey.hpp"

#include "support/catch.hpp"

namespace harmony::test {

namespace {

// From the documentation of NATS, "NKeys".
constexpr const char* known_seed = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
constexpr const char* known_key = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";

} // namespace

TEST_CASE("nkey: published seed -> its published key, and the seed again") {
  const auto pair = nkey_pair::from_seed(known_seed);
  REQUIRE(pair);
  CHECK(pair->public_key() == known_key);
  CHECK(pair->seed() == known_seed);
  CHECK(pair->kind() == nkey_kind::user);
}

TEST_CASE("nkey: new pair of each kind -> letter, length, and read back the same") {
  struct row {
    nkey_kind kind;
    std::string letters;
  };
  for (const auto& [kind, letters] :
       {row{nkey_kind::operator_, "O"}, row{nkey_kind::account, "A"}, row{nkey_kind::user, "U"}}) {
    const auto made = nkey_pair::make(kind);
    CHECK(made.public_key().substr(0, 1) == letters);
    CHECK(made.public_key().size() == 56);
    CHECK(made.seed().substr(0, 2) == "S" + letters);
    CHECK(made.seed().size() == 58);
    CHECK(is_public_nkey(kind, made.public_key()));
    const auto read = nkey_pair::from_seed(made.seed());
    REQUIRE(read);
    CHECK(read->public_key() == made.public_key());
    CHECK(read->kind() == kind);
    CHECK(nkey_pair::make(kind).public_key() != made.public_key());
  }
}

TEST_CASE("nkey: any letter changed, cut or added -> no key") {
  const std::string key = known_key;
  const std::string seed = known_seed;
  for (std::size_t i = 0; i < key.size(); ++i) {
    auto bad = key;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    CHECK_FALSE(is_public_nkey(nkey_kind::user, bad));
    CHECK_FALSE(is_public_nkey(nkey_kind::user, key.substr(0, i)));
  }
  for (std::size_t i = 0; i < seed.size(); ++i) {
    auto bad = seed;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    CHECK_FALSE(nkey_pair::from_seed(bad));
  }
  CHECK_FALSE(is_public_nkey(nkey_kind::user, key + "A"));
  CHECK_FALSE(is_public_nkey(nkey_kind::account, key));
  CHECK_FALSE(is_public_nkey(nkey_kind::user, seed));
  CHECK_FALSE(nkey_pair::from_seed(key));
  const auto refused = nkey_pair::from_seed(seed + "A");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find(seed) == std::string::npos); // no secret in a message
}

TEST_CASE("nkey: signature -> of that message and that key alone") {
  const auto pair = nkey_pair::from_seed(known_seed).value();
  const auto by = pair.sign("message").value();
  CHECK(verify_nkey(known_key, "message", by));
  CHECK_FALSE(verify_nkey(known_key, "Message", by));
  CHECK_FALSE(verify_nkey(nkey_pair::make(nkey_kind::user).public_key(), "message", by));
  CHECK_FALSE(verify_nkey("", "message", by));
  auto spoiled = by;
  spoiled[0] ^= 1U;
  CHECK_FALSE(verify_nkey(known_key, "message", spoiled));
}

} // namespace harmony::test

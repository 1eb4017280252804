#include "identity/enrolment.hpp"

#include <nlohmann/json.hpp>

#include "identity/jwt.hpp"
#include "model/ids.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

constexpr std::chrono::sys_seconds noon{std::chrono::seconds{1769860800}};

enrolment_token token_of(const nkey_pair& key) {
  return {"tls://nats.example:4222", key, {}, "pi-1", "-----BEGIN CERTIFICATE-----\n"};
}

} // namespace

TEST_CASE("enrolment: token -> the same when read; its id is a name and tells nothing of its key") {
  const auto token = token_of(nkey_pair::make(nkey_kind::user));
  const auto text = write_token(token);
  const auto read = read_token(text);
  REQUIRE(read);
  CHECK(read->store == token.store);
  CHECK(read->key.seed() == token.key.seed());
  CHECK(read->device == "pi-1");
  CHECK(read->ca == token.ca);
  CHECK_FALSE(read->expires); // as one of an earlier version
  auto until_noon = token;
  until_noon.expires = noon;
  CHECK(read_token(write_token(until_noon))->expires == until_noon.expires);
  CHECK(read->id() == token.id());
  CHECK(is_name(token.id()));
  CHECK(token.id().size() == 16);
  CHECK(text.find_first_of(" \n'\"$/+") == std::string::npos); // for a shell and a URL
}

TEST_CASE("enrolment: token cut or changed anywhere -> refused, and no word of it is said") {
  const auto text = write_token(token_of(nkey_pair::make(nkey_kind::user)));
  for (std::size_t i = 0; i < text.size(); ++i)
    CHECK_FALSE(read_token(text.substr(0, i)));
  for (const auto& bad : std::vector<std::string>{
         "", "x", "harmony-token-1.", "harmony-token-1.e30=", std::string(100'000, 'a')}) {
    const auto read = read_token(bad);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == ec::invalid_document);
    CHECK((bad.empty() || bad == "x" || read.error().message.find(bad) == std::string::npos));
  }
}

TEST_CASE("enrolment: token with the JWT of another key -> refused") {
  const auto account = nkey_pair::make(nkey_kind::account);
  const auto mine = nkey_pair::make(nkey_kind::user);
  const auto others = nkey_pair::make(nkey_kind::user);
  auto token = token_of(mine);
  const auto jwt_for = [&](const nkey_pair& whom) {
    return sign_jwt(account, {"x", whom.public_key(), noon, std::nullopt}, {{"type", "user"}})
      .value();
  };
  token.jwt = jwt_for(mine);
  CHECK(read_token(write_token(token)));
  token.jwt = jwt_for(others);
  CHECK_FALSE(read_token(write_token(token)));
}

TEST_CASE("enrolment: record -> the same when read; what an approval lacks -> refused") {
  const auto key = nkey_pair::make(nkey_kind::user).public_key();
  enrolment_record record;
  record.is = enrolment_record::state::approved;
  record.created = noon;
  record.expires = noon + std::chrono::hours{24};
  record.device = "pi-1";
  record.nkey = key;
  record.jwt = "eyJ";
  const auto read = read_record(write_record(record));
  REQUIRE(read);
  CHECK(read->is == record.is);
  CHECK(read->expires == record.expires);
  CHECK(read->nkey == key);
  CHECK(read->jwt == "eyJ");
  record.nkey.clear();
  CHECK_FALSE(read_record(write_record(record)));
  record.nkey = key;
  record.device.clear();
  CHECK_FALSE(read_record(write_record(record)));
  const std::string times =
    R"("created":"2026-01-31T12:00:00.000Z","expires":"2026-01-31T12:00:00.000Z"})";
  CHECK(read_record(R"({"state":"issued",)" + times));
  for (const auto& bad : {std::string{}, std::string{"[]"}, std::string{"{}"},
                          std::string{R"({"state":"issued"})"}, R"({"state":"x",)" + times})
    CHECK_FALSE(read_record(bad));
}

TEST_CASE("enrolment: request -> its key has signed it; changed by one letter -> refused") {
  const auto key = nkey_pair::make(nkey_kind::user);
  const enrolment_request asked{"abc", "pi-1", {}, {}, {{"host", "raspberry"}}};
  const auto text = sign_request(asked, key, nullptr, noon).value();
  const auto read = read_request(text);
  REQUIRE(read);
  CHECK(read->token == "abc");
  CHECK(read->device == "pi-1");
  CHECK(read->nkey == key.public_key());
  CHECK(read->renews.empty());
  CHECK(read->facts.at("host") == "raspberry");
  for (std::size_t i = 0; i < text.size(); i += 7) {
    auto bad = text;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    CHECK_FALSE(read_request(bad));
  }
}

TEST_CASE("enrolment: facts of any bytes and length -> cleaned and cut, and the request is one") {
  const auto key = nkey_pair::make(nkey_kind::user);
  const enrolment_request asked{"abc",
                                "pi-1",
                                {},
                                {},
                                {{"model", "a\xff"
                                           "b\xc3"},
                                 {"os", std::string(5000, 'x')}}};
  const auto read = read_request(sign_request(asked, key, nullptr, noon).value());
  REQUIRE(read);
  CHECK(read->facts.at("model") == "a?b?");
  CHECK(read->facts.at("os").size() < 250);
}

TEST_CASE("enrolment: request for a key that the asker does not hold -> refused") {
  const auto own = nkey_pair::make(nkey_kind::user);
  const auto account = nkey_pair::make(nkey_kind::account);
  using nlohmann::json;
  const json usual{{"type", "harmony-enrolment-request"}, {"facts", json::object()}};
  CHECK(read_request(sign_jwt(own, {"pi-1", "abc", noon, {}}, usual).value()));
  // The key that is asked for is the one that signs: there is no place to name another.
  CHECK_FALSE(read_request(sign_jwt(account, {"pi-1", "abc", noon, {}}, usual).value()));
  CHECK_FALSE(read_request(sign_jwt(own, {"Pi 1", "abc", noon, {}}, usual).value()));
  CHECK_FALSE(read_request(sign_jwt(own, {"pi-1", "abc", noon, {}}, {{"type", "user"}}).value()));
  auto much = usual;
  much["facts"]["host"] = std::string(1000, 'x');
  CHECK_FALSE(read_request(sign_jwt(own, {"pi-1", "abc", noon, {}}, much).value()));
}

TEST_CASE("enrolment: renewal -> the former key has signed just this, or it is none") {
  const auto former = nkey_pair::make(nkey_kind::user);
  const auto fresh = nkey_pair::make(nkey_kind::user);
  const auto text = sign_request({"abc", "pi-1", {}, {}, {}}, fresh, &former, noon).value();
  REQUIRE(read_request(text));
  CHECK(read_request(text)->renews == former.public_key());
  // Its proof under a request for another token, another device, another key.
  const auto stolen = read_jwt_claims(text)->nats;
  CHECK(read_request(sign_jwt(fresh, {"pi-1", "abc", noon, {}}, stolen).value()));
  CHECK_FALSE(read_request(sign_jwt(fresh, {"pi-1", "xyz", noon, {}}, stolen).value()));
  CHECK_FALSE(read_request(sign_jwt(fresh, {"pi-2", "abc", noon, {}}, stolen).value()));
  const auto thief = nkey_pair::make(nkey_kind::user);
  CHECK_FALSE(read_request(sign_jwt(thief, {"pi-1", "abc", noon, {}}, stolen).value()));
}

TEST_CASE("enrolment: receipt -> of that token and that key alone") {
  const auto key = nkey_pair::make(nkey_kind::user);
  const auto text = sign_receipt("abc", key, noon).value();
  CHECK(is_receipt(text, "abc", key.public_key()));
  CHECK_FALSE(is_receipt(text, "xyz", key.public_key()));
  CHECK_FALSE(is_receipt(text, "abc", nkey_pair::make(nkey_kind::user).public_key()));
  const auto request = sign_request({"abc", "pi-1", {}, {}, {}}, key, nullptr, noon).value();
  CHECK_FALSE(is_receipt(request, "abc", key.public_key()));
}

TEST_CASE("enrolment: fingerprint -> of that key, for the eye") {
  CHECK(fingerprint_of("UBPJOCD6LTT67QNQH76EKUTGHCHCKXSQLBPFJDOIRQTMBMGI7JPM56HW").size() == 39);
  CHECK(fingerprint_of("a") == "ca97-8112-ca1b-bdca-fac2-31b3-9a23-dc4d");
}

} // namespace harmony::test

#include "trust/envelope.hpp"

#include "model/manifest.hpp"
#include "support/catch.hpp"
#include "support/people.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

namespace {

std::string file(const std::string& name) {
  return read_file(std::filesystem::path{VECTORS} / name);
}

failure refusal(const std::string& document) {
  const auto read = read_envelope(document);
  if (read)
    return {ec::internal, "accepted"};
  return read.error();
}

/// An envelope's JSON with these members.
std::string with(const std::string& payload, const std::string& type,
                 const std::string& signatures) {
  return R"({"payload":)" + payload + R"(,"payloadType":)" + type + R"(,"signatures":)" + signatures
         + "}";
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

TEST_CASE("envelope: the pre-authentication encoding -> DSSE's published vectors") {
  CHECK(pre_authentication_encoding("http://example.com/HelloWorld", "hello world")
        == "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
  CHECK(pre_authentication_encoding("", "") == "DSSEv1 0  0 ");
  CHECK(pre_authentication_encoding("a b", std::string_view{"\0 1", 3})
        == std::string{"DSSEv1 3 a b 3 \0 1", 18});
}

TEST_CASE("envelope: one that OpenSSL signed -> both signers, and the same bytes signed here") {
  const auto read = read_envelope(file("two-signatures.json"));
  REQUIRE(read.ok());
  CHECK(read->payload == file("payload.json"));
  CHECK(read->type == manifest_payload_type);
  CHECK(signers_of(*read, {carol.pub(), bob.pub(), alice.pub()})
        == std::vector{bob.pub(), alice.pub()});
  CHECK(*read == signed_by({alice, bob}, file("payload.json")));
  for (const auto* name : {"alice", "bob", "carol"})
    CHECK(read_public_key(file(std::string{name} + ".pub")).ok());
}

TEST_CASE("envelope: written -> read back the same") {
  const auto e = signed_by({alice, bob}, std::string{"any\0bytes\xff", 10});
  CHECK(*read_envelope(write_envelope(e)) == e);
  envelope bare{"t", "", {{"", "x"}}};
  CHECK(*read_envelope(write_envelope(bare)) == bare);
}

TEST_CASE("envelope: fields that it does not know -> ignored; URL-safe base64 -> read") {
  const auto read = read_envelope(
    R"({"payload":"-_8=","payloadType":"t","signatures":[{"sig":"-_8=","extra":[1]}],"more":{}})");
  REQUIRE(read.ok());
  CHECK(read->payload == "\xfb\xff");
  CHECK(read->signatures == std::vector<envelope_signature>{{"", "\xfb\xff"}});
}

TEST_CASE("envelope: what is none -> refused, with what is wrong") {
  CHECK(refusal("{}").code == ec::unsigned_document);
  CHECK(refusal(R"({"kind":"AgentManifest"})").code == ec::unsigned_document);
  for (const auto& [document, what] : std::vector<std::pair<std::string, std::string>>{
         {"", "not JSON"},
         {"[]", "expected a JSON object"},
         {"\"payload\"", "expected a JSON object"},
         {with("1", "\"t\"", "[]"), "payload: is not base64"},
         {with("\"YQ\"", "\"t\"", "[]"), "payload: is not base64"},      // no padding
         {with(R"("YQ==\n")", "\"t\"", "[]"), "payload: is not base64"}, // white space
         {with("\"YR==\"", "\"t\"", "[]"), "payload: is not base64"},    // unused bits
         {with("\"+_8=\"", "\"t\"", "[]"), "payload: is not base64"},    // both alphabets
         {with("\"\"", "null", "[]"), "payloadType"},
         {with("\"\"", "\"" + std::string(257, 't') + "\"", "[]"), "payloadType"},
         {with("\"\"", "\"t\"", "{}"), "signatures: expected a list"},
         {R"({"payload":"","payloadType":"t"})", "signatures: expected a list"},
         {with("\"\"", "\"t\"", "[1]"), "signatures[0]: expected an object"},
         {with("\"\"", "\"t\"", "[{}]"), "signatures[0].sig"},
         {with("\"\"", "\"t\"", R"([{"sig":"="}])"), "signatures[0].sig"},
         {with("\"\"", "\"t\"", R"([{"sig":"","keyid":5}])"), "signatures[0].keyid"},
         {R"({"payload":"","payload":"","payloadType":"t","signatures":[]})", "twice"}}) {
    CAPTURE(document);
    const auto why = refusal(document);
    CHECK(why.code == ec::invalid_document);
    CHECK_THAT(why.message, Catch::Matchers::Contains(what));
  }
}

TEST_CASE("envelope: cut anywhere -> refused") {
  const auto whole = file("two-signatures.json");
  for (std::size_t i = 0; i + 2 < whole.size(); ++i)
    if (read_envelope(whole.substr(0, i)))
      FAIL("accepted " << i << " bytes");
}

TEST_CASE("envelope: too large, too many signatures, too deep -> refused before any verifying") {
  CHECK(refusal(with("\"" + std::string(max_document_bytes, 'A') + "\"", "\"t\"", "[]")).code
        == ec::document_too_large);
  std::string many = R"({"sig":""})";
  for (std::size_t i = 1; i < max_signatures; ++i)
    many += R"(,{"sig":""})";
  CHECK(read_envelope(with("\"\"", "\"t\"", "[" + many + "]")).ok());
  CHECK(refusal(with("\"\"", "\"t\"", "[" + many + R"(,{"sig":""}])")).code
        == ec::invalid_document);
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  CHECK(refusal(R"({"payload":"","payloadType":"t","signatures":[],"x":)" + deep + "}").code
        == ec::document_too_large);
}

TEST_CASE("envelope: signers -> each key once, by valid signatures alone") {
  const std::vector keys{alice.pub(), bob.pub()};
  const std::string payload = "payload";
  CHECK(signers_of(signed_by({alice}, payload), keys) == std::vector{alice.pub()});
  CHECK(signers_of(signed_by({mallory}, payload), keys).empty());
  SECTION("twice signed -> counted once") {
    auto e = signed_by({alice}, payload);
    e.signatures.push_back(e.signatures.front());
    e.signatures.push_back({"", e.signatures.front().bytes});
    CHECK(signers_of(e, keys) == std::vector{alice.pub()});
  }
  SECTION("without a key id -> found by trying") {
    auto e = signed_by({bob}, payload);
    e.signatures.front().key_id.clear();
    CHECK(signers_of(e, keys) == std::vector{bob.pub()});
  }
  SECTION("under another's key id -> not found: it names whose to try") {
    auto e = signed_by({bob}, payload);
    e.signatures.front().key_id = key_id_of(alice.pub().key);
    CHECK(signers_of(e, keys).empty());
  }
  SECTION("another payload or type -> no signature of it") {
    auto e = signed_by({alice}, payload);
    e.payload += " ";
    CHECK(signers_of(e, keys).empty());
    e = signed_by({alice}, payload, "text/plain");
    e.type = manifest_payload_type;
    CHECK(signers_of(e, keys).empty());
  }
  SECTION("a signature that is none beside a good one -> the good one counts") {
    auto e = signed_by({alice}, payload);
    e.signatures.insert(e.signatures.begin(), {e.signatures.front().key_id, std::string(64, 'x')});
    CHECK(signers_of(e, keys) == std::vector{alice.pub()});
  }
}

TEST_CASE("envelope: signed again by the same key -> one signature of it") {
  auto e = signed_by({alice, bob}, "p");
  sign(e, alice);
  CHECK(e.signatures.size() == 2);
}

void flip(std::string& bytes, std::size_t bit) {
  bytes[bit / 8] =
    static_cast<char>(static_cast<unsigned char>(bytes[bit / 8]) ^ (1U << (bit % 8)));
}

TEST_CASE("envelope: any one bit of a signature or the payload flipped -> not signed") {
  const auto good = signed_by({alice}, "payload");
  for (std::size_t bit = 0; bit < 64 * 8; ++bit) {
    auto e = good;
    flip(e.signatures.front().bytes, bit);
    if (!signers_of(e, {alice.pub()}).empty())
      FAIL("bit " << bit << " of the signature");
  }
  for (std::size_t bit = 0; bit < good.payload.size() * 8; ++bit) {
    auto e = good;
    flip(e.payload, bit);
    if (!signers_of(e, {alice.pub()}).empty())
      FAIL("bit " << bit << " of the payload");
  }
}

TEST_CASE("envelope: told from a manifest without one") {
  CHECK(is_envelope(file("two-signatures.json")));
  CHECK_FALSE(is_envelope(file("payload.json")));
  CHECK_FALSE(is_envelope("payload: x\npayloadType: y\n"));
  // A manifest may have an envelope in a file's content.
  CHECK_FALSE(is_envelope(replaced(file("payload.json"), "\"spec\"", "\"payloadType\"")));
  CHECK_FALSE(may_be_envelope(file("payload.json")));
}

} // namespace

} // namespace harmony::test

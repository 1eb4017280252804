#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "trust/sealing.hpp"
#include "unit/ctl/fixture.hpp"

namespace harmony::ctl {

namespace {

using Catch::Contains;

const resource_id db{"Container", "db"};

std::string opened(const sealing_key& key, const std::string& printed, const resource_id& user) {
  const auto ref = nlohmann::json::parse(printed);
  const auto secret = key.open(ref.at("sealed").get<std::string>(), user);
  return secret ? std::string{secret->reveal()} : secret.error().message;
}

} // namespace

TEST_CASE("seal: key on the command line -> a ref that this device alone opens") {
  const auto key = sealing_key::generate();
  const auto to = write_sealing_public(key.pub());
  terminal t;
  REQUIRE(t.run({"seal", "--to", to, "-o", "json"}, "s3cret\n") == 0);
  CHECK(opened(key, t.out, db) == "s3cret\n");
  CHECK_THAT(t.out + t.err, !Contains("s3cret"));
  CHECK_THAT(t.err, Contains(fingerprint_of(key.pub())));
  REQUIRE(t.run({"seal", "--to", to, "--for", "Container/db", "-o", "json"}, "s3cret") == 0);
  CHECK(opened(key, t.out, db) == "s3cret");
  CHECK_THAT(opened(key, t.out, {"File", "x"}), Contains("another resource"));
}

TEST_CASE("seal: agent -> the key that its device told the store, and the fingerprint to compare") {
  const auto key = sealing_key::generate();
  terminal t;
  t.at().force(bucket::device_info, "pi-1",
               R"({"sealingKey":")" + write_sealing_public(key.pub()) + "\"}");
  REQUIRE(t.run({"seal", "pi-1", "-o", "json"}, "s3cret") == 0);
  CHECK(opened(key, t.out, db) == "s3cret");
  CHECK_THAT(t.err, Contains(fingerprint_of(key.pub())) && Contains("harmony-agent key"));
  REQUIRE(t.run({"seal", "pi-1"}, "s3cret") == 0);
  CHECK(t.out.rfind("sealed: ", 0) == 0);
}

TEST_CASE("seal: from a file -> its bytes as they are") {
  const auto key = sealing_key::generate();
  const test::temp_dir folder;
  const std::string bytes{"a\0b\xFF\n", 5};
  test::write_file(folder / "tls.key", bytes);
  terminal t;
  REQUIRE(t.run({"seal", "--to", write_sealing_public(key.pub()), "-f",
                 (folder / "tls.key").string(), "-o", "json"})
          == 0);
  CHECK(opened(key, t.out, db) == bytes);
}

TEST_CASE(
  "seal: no key, no secret, both or neither of agent and key -> said, and nothing printed") {
  const auto to = write_sealing_public(sealing_key::generate().pub());
  terminal t;
  t.at().force(bucket::device_info, "pi-old", R"({"agent":"pi-old"})");
  t.at().force(bucket::device_info, "pi-bad", R"({"sealingKey":"x25519:AAAA"})");
  struct given {
    std::vector<std::string> arguments;
    std::string input;
    int code;
    std::string message;
  };
  for (const auto& each : std::vector<given>{
         {{"seal", "pi-none"}, "s", 3, "no sealing key of agent 'pi-none'"},
         {{"seal", "pi-old"}, "s", 3, "no sealing key of agent 'pi-old'"},
         {{"seal", "pi-bad"}, "s", 6, "expected a sealing key"},
         {{"seal", "--to", "rubbish"}, "s", 2, "expected a sealing key"},
         {{"seal", "--to", "x25519:" + std::string(43, 'A') + "="}, "s", 6, "of no device"},
         {{"seal", "--to", to}, "", 6, "there is no secret"},
         {{"seal", "--to", to, "-f", "/nowhere/x"}, "", 1, "cannot read '/nowhere/x'"},
         {{"seal", "--to", to, "--for", "db"}, "s", 2, "Kind/name"},
         {{"seal", "--to", to, "pi-1"}, "s", 2, ""},
         {{"seal"}, "s", 2, "needs an agent, or its key"}}) {
    CAPTURE(each.arguments);
    CHECK(t.run(each.arguments, each.input) == each.code);
    CHECK_THAT(t.err, Contains(each.message));
    CHECK(t.out.empty());
  }
}

} // namespace harmony::ctl

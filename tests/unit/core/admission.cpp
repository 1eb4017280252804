#include "core/admission.hpp"

#include "support/catch.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;
using Catch::Matchers::Contains;

const admission_terms here{"pi-1", {}};
const timestamp now = *parse_time("2026-01-31T12:00:00.000Z");

struct offer {
  std::string agent = "pi-1";
  generation_number generation = 7;
  std::uint32_t key_epoch = 1;
  std::string expires_at;
  std::string content = "hello";

  [[nodiscard]] std::string document() const {
    std::string expiry;
    if (!expires_at.empty())
      expiry = R"(,"expiresAt":")" + expires_at + R"(")";
    return R"({"apiVersion":"harmony/v1","kind":"AgentManifest","metadata":{"agent":")" + agent
           + R"(","generation":)" + std::to_string(generation) + R"(,"keyEpoch":)"
           + std::to_string(key_epoch) + expiry
           + R"(},"spec":{"resources":[{"kind":"File","name":"motd","spec":{"path":"/etc/motd",)"
           + R"("content":")" + content + R"("}}]}})";
  }
};

accepted_mark mark_of(const offer& o) {
  return {o.key_epoch, o.generation, sha256_hex(o.document())};
}

admission admit_after(const offer& before, const offer& next) {
  return admit(next.document(), here, mark_of(before), now);
}

admission_refused refusal(const admission& a) {
  const auto* refused = std::get_if<admission_refused>(&a);
  REQUIRE(refused != nullptr);
  return *refused;
}

TEST_CASE("admission: the first manifest -> accepted, with its mark") {
  const offer first;
  const auto result = admit(first.document(), here, std::nullopt, now);
  const auto* accepted = std::get_if<admission_accepted>(&result);
  REQUIRE(accepted != nullptr);
  CHECK(accepted->mark == mark_of(first));
  CHECK(accepted->value.resources.size() == 1);
}

TEST_CASE("admission: the accepted document again -> known, even when it expired meanwhile") {
  offer same;
  same.expires_at = "2026-01-31T11:59:59.000Z";
  CHECK(std::holds_alternative<admission_known>(admit_after(same, same)));
}

TEST_CASE("admission: a higher generation -> accepted; of a higher key epoch, any") {
  offer higher;
  higher.generation = 8;
  CHECK(std::holds_alternative<admission_accepted>(admit_after({}, higher)));
  offer new_epoch;
  new_epoch.key_epoch = 2;
  new_epoch.generation = 1;
  CHECK(std::holds_alternative<admission_accepted>(admit_after({}, new_epoch)));
}

TEST_CASE("admission: a manifest for another device -> WrongAgent") {
  offer other;
  other.agent = "pi-2";
  other.generation = 8;
  const auto r = refusal(admit_after({}, other));
  CHECK(r.why.code == ec::wrong_agent);
  CHECK(r.why.message == "metadata.agent: the manifest is for 'pi-2', this device is 'pi-1'");
  CHECK(r.generation == 8);
}

TEST_CASE("admission: a lower generation -> GenerationRegressed") {
  offer lower;
  lower.generation = 6;
  const auto r = refusal(admit_after({}, lower));
  CHECK(r.why.code == ec::generation_regressed);
  CHECK(r.why.message
        == "metadata.generation: 6 is older than the accepted 7; apply with a higher generation");
  CHECK(r.generation == 6);
}

TEST_CASE("admission: the same generation with other content -> GenerationRegressed") {
  offer changed;
  changed.content = "other";
  const auto r = refusal(admit_after({}, changed));
  CHECK(r.why.code == ec::generation_regressed);
  CHECK(r.why.message
        == "metadata.generation: 7 was accepted with other content; apply with a higher "
           "generation");
}

TEST_CASE("admission: a lower key epoch -> GenerationRegressed, and the epoch is named") {
  offer before;
  before.key_epoch = 3;
  offer old_key;
  old_key.key_epoch = 2;
  old_key.generation = 99;
  const auto r = refusal(admit_after(before, old_key));
  CHECK(r.why.code == ec::generation_regressed);
  CHECK(r.why.message
        == "metadata.keyEpoch: 2 is older than the accepted 3; apply with the present key epoch");
}

TEST_CASE("admission: expiry -> refused from that moment on") {
  offer expiring;
  expiring.generation = 8;
  expiring.expires_at = "2026-01-31T12:00:00.000Z";
  const auto document = expiring.document();
  const auto r = refusal(admit(document, here, std::nullopt, now));
  CHECK(r.why.code == ec::expired);
  CHECK(r.why.message
        == "metadata.expiresAt: the manifest expired at 2026-01-31T12:00:00.000Z; "
           "issue it again");
  CHECK(std::holds_alternative<admission_accepted>(admit(document, here, std::nullopt, now - 1ms)));
}

TEST_CASE("admission: what cannot be read -> refused, generation unknown") {
  for (const auto* document : {"", "{", "[]", "null", "{}"}) {
    const auto r = refusal(admit(document, here, mark_of({}), now));
    INFO("'" << document << "'");
    CHECK(r.why.code == ec::invalid_document);
    CHECK_FALSE(r.why.message.empty());
    CHECK(r.generation == 0);
  }
}

TEST_CASE("admission: a document over the limit -> DocumentTooLarge") {
  const auto r = refusal(admit(std::string(max_document_bytes + 1, ' '), here, mark_of({}), now));
  CHECK(r.why.code == ec::document_too_large);
}

TEST_CASE("admission: many faults -> the first five with their paths, the rest counted") {
  std::string fields;
  for (int i = 0; i < 8; ++i)
    fields += R"(,"extra)" + std::to_string(i) + R"(":1)";
  const auto r = refusal(admit(R"({"apiVersion":"harmony/v1","kind":"AgentManifest","metadata":)"
                               R"({"agent":"pi-1","generation":1},"spec":{"resources":[]})"
                                 + fields + "}",
                               here, std::nullopt, now));
  CHECK(r.why.code == ec::invalid_document);
  CHECK_THAT(r.why.message, Contains("extra0") && Contains("extra4") && Contains("and 3 more"));
  CHECK_THAT(r.why.message, !Contains("extra5"));
}

TEST_CASE("admission: one resource is wrong -> accepted, that one rejected within") {
  auto document = offer{}.document();
  document.replace(document.find("/etc/motd"), 9, "etc/../x");
  const auto result = admit(document, here, std::nullopt, now);
  const auto* accepted = std::get_if<admission_accepted>(&result);
  REQUIRE(accepted != nullptr);
  CHECK(accepted->value.resources.empty());
  REQUIRE(accepted->value.rejected.size() == 1);
  CHECK(accepted->value.rejected[0].code == ec::invalid_spec);
}

} // namespace

} // namespace harmony::test

// What a document may cost.

#include "model/manifest.hpp"
#include "model/status.hpp"
#include "support/catch.hpp"
#include "unit/model/documents.hpp"

namespace harmony {

namespace {

using test::issues_of;
using test::manifest_of;
using test::resource_of;

using strings = std::vector<std::string>;

std::string repeat(const std::string& what, std::size_t count) {
  std::string all;
  all.reserve(what.size() * count);
  for (std::size_t i = 0; i < count; ++i)
    all += what;
  return all;
}

/// A manifest of exactly `size` bytes.
std::string manifest_of_size(std::size_t size) {
  const auto with = [](std::size_t n) {
    return manifest_of(
      resource_of("File", R"({"path":"/a","content":")" + std::string(n, 'x') + "\"}"));
  };
  return with(size - with(0).size());
}

TEST_CASE("limits: 1 MiB -> accepted; a byte more -> refused unread") {
  CHECK(issues_of(manifest_of_size(max_document_bytes)) == strings{});
  const auto reading = read_manifest(manifest_of_size(max_document_bytes + 1));
  CHECK_FALSE(reading.value);
  REQUIRE(reading.issues.size() == 1);
  CHECK(reading.issues[0].code == ec::document_too_large);
  CHECK(reading.issues[0].message == "is 1048577 bytes long; the limit is 1048576");
  // Refused before it is read: the syntax is not looked at.
  CHECK(read_manifest(std::string(max_document_bytes + 1, '{')).issues[0].code
        == ec::document_too_large);
}

TEST_CASE("limits: 32 levels -> read; 33 -> refused") {
  const auto nested = [](std::size_t depth) { return repeat("[", depth) + repeat("]", depth); };
  CHECK(read_manifest(nested(max_depth)).issues.at(0).code == ec::invalid_document);
  const auto reading = read_manifest(nested(max_depth + 1));
  REQUIRE(reading.issues.size() == 1);
  CHECK(reading.issues[0].code == ec::document_too_large);
  CHECK(reading.issues[0].message == "nested deeper than 32 levels");
}

TEST_CASE("limits: a depth bomb -> refused without recursion") {
  const auto open = GENERATE(as<std::string>{}, "[", "{\"a\":");
  const auto reading = read_manifest(repeat(open, max_document_bytes / open.size()));
  REQUIRE(reading.issues.size() == 1);
  CHECK(reading.issues[0].code == ec::document_too_large);
}

TEST_CASE("limits: 1000 resources -> accepted; 1001 -> refused") {
  const auto with = [](int count) {
    std::string all;
    for (int i = 0; i < count; ++i)
      all += (i ? "," : "") + std::string{R"({"kind":"File","name":"f)"} + std::to_string(i)
             + R"(","spec":{"content":"","path":"/)" + std::to_string(i) + "\"}}";
    return manifest_of(all);
  };
  CHECK(issues_of(with(1000)) == strings{});
  const auto reading = read_manifest(with(1001));
  CHECK_FALSE(reading.value);
  REQUIRE(reading.issues.size() == 1);
  CHECK(reading.issues[0]
        == issue{"spec.resources", "more than 1000 resources", ec::document_too_large});
}

TEST_CASE("limits: long lists elsewhere -> no limit of theirs") {
  const auto args = repeat("\"a\",", 2000) + "\"a\"";
  CHECK(
    issues_of(manifest_of(resource_of("Container", R"({"image":"a","command":[)" + args + "]}")))
    == strings{});
}

TEST_CASE("limits: names and paths -> refused at a character more") {
  const auto name = [](std::size_t n) {
    return issues_of(manifest_of(R"({"kind":"Directory","name":")" + std::string(n, 'a')
                                 + R"(","spec":{"path":"/a"}})"))
      .empty();
  };
  CHECK(name(63));
  CHECK_FALSE(name(64));
  const auto path = [](std::size_t n) {
    return issues_of(manifest_of(
                       resource_of("Directory", R"({"path":"/)" + std::string(n - 1, 'a') + "\"}")))
      .empty();
  };
  CHECK(path(4096));
  CHECK_FALSE(path(4097));
  const auto unit = [](std::size_t n) {
    return issues_of(manifest_of(resource_of("SystemdUnit", R"({"unit":")" + std::string(n - 8, 'a')
                                                              + ".service\"}")))
      .empty();
  };
  CHECK(unit(255));
  CHECK_FALSE(unit(256));
}

TEST_CASE("limits: a status or heartbeat that is too long -> refused unread") {
  CHECK(read_status(std::string(9 << 20, ' ')).error().code == ec::document_too_large);
  CHECK(read_heartbeat(std::string(2000, ' ')).error().code == ec::document_too_large);
}

} // namespace

} // namespace harmony

// One resource's faults are its own: what is rejected, why, and what stays.

#include <set>

#include "model/manifest.hpp"
#include "support/catch.hpp"
#include "unit/model/documents.hpp"

namespace harmony {

namespace {

using test::issues_of;
using test::manifest_of;

using strings = std::vector<std::string>;

std::string file(const std::string& name, const std::string& depends_on = "",
                 const std::string& path = "") {
  return R"({"kind":"File","name":")" + name + R"(","dependsOn":[)" + depends_on
         + R"(],"spec":{"content":"","path":")" + (path.empty() ? "/" + name : path) + "\"}}";
}

std::set<std::string> accepted(const manifest& m) {
  std::set<std::string> ids;
  for (const auto& r : m.resources)
    ids.insert(r.id.str());
  return ids;
}

std::map<std::string, ec> rejected(const manifest& m) {
  std::map<std::string, ec> ids;
  for (const auto& r : m.rejected) {
    CHECK(ids.count(r.id.str()) == 0);
    ids[r.id.str()] = r.code;
  }
  return ids;
}

manifest read(const std::string& resources) {
  auto reading = read_manifest(manifest_of(resources));
  REQUIRE(reading.value);
  return *reading.value;
}

using ids = std::set<std::string>;
using verdicts = std::map<std::string, ec>;

TEST_CASE("resources: one bad spec -> rejected with all its faults, the others stay") {
  const auto m = read(file("good") + R"(,{"kind":"File","name":"bad","origin":"me",
                        "spec":{"path":"x","mode":1,"content":""}},)"
                      + file("after", "\"File/bad\""));
  CHECK(accepted(m) == ids{"File/good", "File/after"});
  REQUIRE(m.rejected.size() == 1);
  CHECK(m.rejected[0]
        == rejected_resource{{"File", "bad"},
                             ec::invalid_spec,
                             "spec.resources[1].spec.path: expected an absolute path without '.', "
                             "'..', '//' or '/' at its end, such as \"/etc/motd\", got \"x\"; "
                             "spec.resources[1].spec.mode: expected an octal string like "
                             "\"0644\", got 1",
                             "me"});
}

TEST_CASE("resources: unknown kind -> rejected with the kind that may be meant") {
  const auto m = read(R"({"kind":"Fil","name":"a","spec":{}},{"kind":"Thing","name":"b"})");
  CHECK(rejected(m) == verdicts{{"Fil/a", ec::unknown_kind}, {"Thing/b", ec::unknown_kind}});
  CHECK(m.rejected[0].message
        == "spec.resources[0].kind: unknown kind 'Fil'; did you mean 'File'?");
  CHECK(m.rejected[1].message
        == "spec.resources[1].kind: unknown kind 'Thing'; known are File, Directory, SystemdUnit, "
           "Container, ShellJob, Package, User, Network, PostgresCluster; spec.resources[1].spec: "
           "is missing; "
           "expected an object");
}

TEST_CASE("resources: without a proper kind and name -> the document is refused") {
  const auto bad =
    GENERATE(as<std::string>{}, R"({"kind":"File","name":"A","spec":{"path":"/a","content":""}})",
             R"({"kind":"File","spec":{"path":"/a","content":""}})",
             R"({"kind":"Fi le","name":"a","spec":{}})", R"({"name":"a","spec":{}})",
             R"({"kind":7,"name":"a","spec":{}})", "7", "null", "[]");
  const auto reading = read_manifest(manifest_of(file("good") + "," + bad));
  CHECK_FALSE(reading.value);
  REQUIRE_FALSE(reading.issues.empty());
  for (const auto& each : reading.issues) {
    CHECK(each.code == ec::invalid_document);
    CHECK(each.path.rfind("spec.resources[1]", 0) == 0);
  }
}

TEST_CASE("resources: one cluster or data directory twice -> all holders rejected") {
  const auto member = [](const std::string& name, const std::string& cluster,
                         const std::string& folder) {
    return R"({"kind":"PostgresCluster","name":")" + name + R"(","spec":{"cluster":")" + cluster
           + R"(","member":"m","members":[{"name":"m","host":"h"}],"dataDir":")" + folder + "\"}}";
  };
  const auto m =
    read(member("a", "x", "/a") + "," + member("b", "x", "/b") + "," + member("c", "y", "/b"));
  CHECK(accepted(m).empty());
  CHECK(rejected(m)
        == verdicts{{"PostgresCluster/a", ec::duplicate_name},
                    {"PostgresCluster/b", ec::duplicate_name},
                    {"PostgresCluster/c", ec::duplicate_name}});
  CHECK(m.rejected[1].message
        == "spec.resources[1].spec.cluster: \"x\" is managed by 'PostgresCluster/a' too; "
           "spec.resources[1].spec.dataDir: \"/b\" is managed by 'PostgresCluster/c' too");
}

TEST_CASE("resources: one id twice -> all holders rejected, once") {
  const auto m = read(file("a", "", "/x") + "," + file("b") + "," + file("a", "", "/y") + ","
                      + file("a", "", "/z"));
  CHECK(accepted(m) == ids{"File/b"});
  CHECK(rejected(m) == verdicts{{"File/a", ec::duplicate_name}});
  CHECK(m.rejected[0].message
        == "spec.resources[2].name: 'File/a' is the id of spec.resources[0] too; "
           "spec.resources[3].name: 'File/a' is the id of spec.resources[0] too");
}

TEST_CASE("resources: one id twice, one of them broken -> duplicate name") {
  const auto m = read(R"({"kind":"File","name":"a","spec":{}},)" + file("a"));
  CHECK(rejected(m) == verdicts{{"File/a", ec::duplicate_name}});
}

TEST_CASE("resources: one path for two -> both rejected, each names the other") {
  const auto m = read(file("a", "", "/x") + R"(,{"kind":"Directory","name":"d",
                        "spec":{"path":"/x"}},)"
                      + file("b"));
  CHECK(accepted(m) == ids{"File/b"});
  CHECK(rejected(m)
        == verdicts{{"File/a", ec::duplicate_name}, {"Directory/d", ec::duplicate_name}});
  CHECK(issues_of(manifest_of(file("a", "", "/x") + "," + file("b", "", "/x")))
        == strings{"spec.resources[0].spec.path: \"/x\" is managed by 'File/b' too",
                   "spec.resources[1].spec.path: \"/x\" is managed by 'File/a' too"});
}

TEST_CASE("resources: one unit for two -> both rejected") {
  const auto m = read(R"({"kind":"SystemdUnit","name":"a","spec":{"unit":"x.service"}},
                         {"kind":"SystemdUnit","name":"b","spec":{"unit":"x.service"}},
                         {"kind":"SystemdUnit","name":"c","spec":{"unit":"y.service"}})");
  CHECK(accepted(m) == ids{"SystemdUnit/c"});
  CHECK(m.rejected[0].message
        == "spec.resources[0].spec.unit: \"x.service\" is managed by 'SystemdUnit/b' too");
}

TEST_CASE("resources: unknown dependency -> rejected") {
  const auto m = read(file("a", R"("File/zz","File/b")") + "," + file("b")
                      + R"(,{"kind":"File","name":"c","restartOn":["Container/q"],
                            "spec":{"path":"/c","content":""}})");
  CHECK(accepted(m) == ids{"File/b"});
  CHECK(rejected(m)
        == verdicts{{"File/a", ec::unknown_dependency}, {"File/c", ec::unknown_dependency}});
  CHECK(m.rejected[0].message
        == "spec.resources[0].dependsOn[0]: 'File/zz' is not in this manifest");
  CHECK(m.rejected[1].message
        == "spec.resources[2].restartOn[0]: 'Container/q' is not in this manifest");
}

TEST_CASE("resources: a cycle -> its members rejected with the way round, others stay") {
  const auto m = read(file("a", "\"File/b\"") + "," + file("b", R"("File/c","File/e")") + ","
                      + file("c", "\"File/a\"") + "," + file("d", "\"File/a\"") + "," + file("e"));
  CHECK(accepted(m) == ids{"File/d", "File/e"}); // d is blocked, not wrong
  CHECK(rejected(m)
        == verdicts{{"File/a", ec::dependency_cycle},
                    {"File/b", ec::dependency_cycle},
                    {"File/c", ec::dependency_cycle}});
  CHECK(m.rejected[0].message
        == "spec.resources[0].dependsOn: leads back to itself: File/a -> File/b -> File/c -> "
           "File/a");
}

TEST_CASE("resources: two cycles that share a member -> all members rejected") {
  // a -> b -> d -> a and a -> c -> d -> a
  const auto m = read(file("a", R"("File/b","File/c")") + "," + file("b", "\"File/d\"") + ","
                      + file("c", "\"File/d\"") + "," + file("d", "\"File/a\""));
  CHECK(m.resources.empty());
  CHECK(m.rejected.size() == 4);
}

TEST_CASE("resources: a thousand in one cycle -> short messages") {
  std::string all;
  for (int i = 0; i < 1000; ++i)
    all += (i ? "," : "")
           + file("f" + std::to_string(i), "\"File/f" + std::to_string((i + 1) % 1000) + "\"");
  const auto m = read(all);
  CHECK(m.resources.empty());
  REQUIRE(m.rejected.size() == 1000);
  for (const auto& each : m.rejected) {
    CHECK(each.code == ec::dependency_cycle);
    CHECK(each.message.find("(990 more)") != std::string::npos);
    CHECK(each.message.size() < 300);
  }
}

TEST_CASE("resources: a thousand in one chain -> accepted") {
  std::string all;
  for (int i = 0; i < 1000; ++i)
    all += (i ? "," : "")
           + file("f" + std::to_string(i), i == 0 ? "" : "\"File/f" + std::to_string(i - 1) + "\"");
  CHECK(issues_of(manifest_of(all)) == strings{});
}

TEST_CASE("resources: very many faults in one -> bounded, and counted") {
  std::string fields;
  for (int i = 0; i < 5000; ++i)
    fields += ",\"unknown" + std::to_string(i) + "\":1";
  const auto reading = read_manifest(
    manifest_of(R"({"kind":"File","name":"a","spec":{"path":"/a","content":"")" + fields + "}}"));
  REQUIRE(reading.value);
  CHECK(reading.value->rejected.at(0).message.size() < 1200);
  CHECK(reading.value->rejected[0].message.find(" more") != std::string::npos);
  CHECK(reading.issues.size() == 101);
  CHECK(reading.issues.back().message == "and 4900 more issues");
}

} // namespace

} // namespace harmony

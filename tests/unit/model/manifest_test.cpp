// Reading and writing whole manifests: round trip, and every message a user can see.

#include "model/manifest.hpp"

#include "support/catch.hpp"
#include "unit/model/documents.hpp"

namespace harmony {

namespace {

using test::full_manifest;
using test::issues_of;
using test::manifest_of;
using test::resource_of;

using strings = std::vector<std::string>;

TEST_CASE("manifest: every field set -> read without an issue") {
  CHECK(issues_of(full_manifest()) == strings{});
  const auto m = read_manifest(full_manifest()).value;
  REQUIRE(m);
  CHECK(m->rejected.empty());
  CHECK(m->metadata.agent == "pi-0042");
  CHECK(m->metadata.generation == 7);
  CHECK(m->metadata.key_epoch == 2);
  CHECK(format_time(*m->metadata.expires_at) == "2026-02-28T11:00:00.250Z");
  CHECK(m->metadata.labels.at("example.org/rack") == "r 2");
  REQUIRE(m->resources.size() == 8);
  CHECK(m->resources[0].spec
        == resource_spec{file_spec{"/etc/motd", "hello\n", {}, {}, {}, "0640", "root", "0", true}});
  CHECK(m->resources[0].origin == "class/base");
  const auto& web = m->resources[4];
  CHECK(web.depends_on == std::vector<dependency>{{{"File", "motd"}}, {{"Directory", "data"}}});
  CHECK(web.restart_on == std::vector<resource_id>{{"File", "motd"}});
  CHECK(web.spec
        == resource_spec{
          systemd_unit_spec{"web@1.service", "[Service]\n", true, unit_state::inactive}});
  CHECK(web.probes.startup == probe{exec_probe{{"/bin/true", ""}}, 0, 10, 1, 1, 30});
  CHECK(web.probes.readiness == probe{tcp_probe{"::1", 8080}, 3, 5, 2, 2, 3});
  CHECK(web.probes.liveness == probe{http_probe{"localhost", 80, "/healthz?x=1"}, 0, 10, 1, 1, 3});
  CHECK(m->resources[3].probes.readiness
        == probe{unit_probe{"srv-data.mount", active_state::failed}});
  CHECK(std::get<file_spec>(m->resources[6].spec).secret
        == secret_ref{secret_source::credential, "tls.key"});
  const auto& app = std::get<container_spec>(m->resources[5].spec);
  CHECK(app.secret_env
        == std::map<std::string, secret_ref>{{"PASSWORD", {secret_source::file, "db-password"}},
                                             {"TOKEN", {secret_source::sealed, "AP8="}}});
  CHECK(app.memory == 64 * 1024 * 1024);
  CHECK(app.ports
        == std::vector<port_mapping>{{8081, 80, transport_protocol::udp, "127.0.0.1"},
                                     {8081, 80, transport_protocol::tcp, ""}});
  CHECK(app.mounts
        == std::vector<container_mount>{{mount_type::bind, "/", "/host", true},
                                        {mount_type::volume, "data", "/data", false},
                                        {mount_type::tmpfs, "", "/tmp", false}});
  postgres_cluster_spec orders;
  orders.cluster = "orders-1";
  orders.member = "edge-2";
  orders.members = {
    {"edge-1", "10.0.0.1", 5432}, {"edge-2", "e2.example.org", 5433}, {"edge-3", "fd00::3", 5432}};
  orders.data_dir = "/srv/pg/orders";
  orders.version = "15";
  orders.owner = "pg";
  orders.mode = postgres_mode::quorum;
  orders.sync_count = 2;
  orders.profile = postgres_profile::normal;
  orders.timings = {14000, 900, 1100, 15500, 800, 700};
  orders.max_lag = 64 * 1024 * 1024;
  orders.priority = 3;
  orders.bootstrap = true;
  orders.rewind = false;
  orders.restart = 5;
  orders.replication_user = "standby";
  orders.replication_password = secret_ref{secret_source::file, "orders"};
  orders.parameters = {{"shared_buffers", "128MB"}, {"auto_explain.log_timing", "on"}};
  orders.hba = {"host all app 10.0.0.0/8 scram-sha-256"};
  orders.endpoint = {"0.0.0.0", 8008};
  CHECK(m->resources[7].spec == resource_spec{orders});
}

TEST_CASE("manifest: written -> reads back the same") {
  const auto m = read_manifest(full_manifest()).value;
  REQUIRE(m);
  const auto again = read_manifest(write_manifest(*m));
  REQUIRE(again.value);
  CHECK(*again.value == *m);
  CHECK(write_manifest(*again.value) == write_manifest(*m));
}

TEST_CASE("manifest: fields at their defaults -> left out when written") {
  const auto m =
    read_manifest(manifest_of(resource_of("File", R"({"path":"/a","content":"","mode":"0644",
                                             "adopt":false})")))
      .value;
  REQUIRE(m);
  const auto text = write_manifest(*m);
  CHECK(text.find("mode") == std::string::npos);
  CHECK(text.find("adopt") == std::string::npos);
  CHECK(text.find("keyEpoch") == std::string::npos);
  CHECK(text.find("dependsOn") == std::string::npos);
  CHECK(text.find("probes") == std::string::npos);
  CHECK(text.find(R"("content": "")") != std::string::npos); // set, though to nothing
}

TEST_CASE("manifest: text that is no JSON -> line and column") {
  CHECK(issues_of("")
        == strings{"line 1, column 1: not JSON: syntax error while parsing value - unexpected end "
                   "of input; expected '[', '{', or a literal"});
  CHECK(issues_of("{\"a\": 1,\n  \"é\" 2}")
        == strings{"line 2, column 7: not JSON: syntax error while parsing object separator - "
                   "unexpected number literal; expected ':'"});
  CHECK(issues_of("{} {}")
        == strings{"line 1, column 4: not JSON: syntax error while parsing value - unexpected "
                   "'{'; expected end of input"});
  CHECK(issues_of("{\"a\": 1e999}")
        == strings{"line 1, column 11: not JSON: number overflow parsing '1e999'"});
}

TEST_CASE("manifest: bytes that are no UTF-8 -> line and column") {
  const auto bytes = GENERATE(as<std::string>{}, "\xff", "\xc0\xaf", "\xed\xa0\x80", "\xc3",
                              "\xf4\x90\x80\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\x80");
  CHECK(issues_of("{\n\"é" + bytes + "\": 1}") == strings{"line 2, column 3: not UTF-8"});
}

TEST_CASE("manifest: faults of the document -> all told, nothing accepted") {
  const std::string text = R"({"apiVersion":"harmony/v2","kind":"Manifest","metdata":1,
    "metadata":{"agent":"Pi","generation":0,"keyEpoch":"1","issuedAt":"now","lables":{},
                "labels":{"a b":1}},
    "spec":{"resources":{},"scores":[1]}})";
  CHECK(issues_of(text)
        == strings{
          "metdata: unknown field; did you mean 'metadata'?",
          R"(apiVersion: expected "harmony/v1", got "harmony/v2")",
          R"(kind: expected "AgentManifest", got "Manifest")",
          "metadata.lables: unknown field; did you mean 'labels'?",
          ("metadata.agent: expected a name of at most 63 of a-z, 0-9 and inner '-', such as "
           "\"web-1\", got \"Pi\""),
          "metadata.generation: expected a whole number from 1 to 9007199254740991, got 0",
          "metadata.keyEpoch: expected a whole number from 1 to 4294967295, got \"1\"",
          ("metadata.issuedAt: expected a time such as \"2026-01-31T12:00:00Z\" (RFC 3339), got "
           "\"now\""),
          ("metadata.labels[\"a b\"]: expected as its name a label name of A-Z, a-z, 0-9 and inner "
           "'.', '_', '/' and '-'"),
          "metadata.labels[\"a b\"]: expected text of at most 256 bytes, got 1",
          "spec.resources: expected a list, got an object",
          "spec.scores: expected an empty list (this version knows no scores), got an array of 1",
        });
  CHECK_FALSE(read_manifest(text).value);
  for (const auto& each : read_manifest(text).issues)
    CHECK(each.code == ec::invalid_document);
}

TEST_CASE("manifest: missing fields -> told with what was expected") {
  CHECK(issues_of("{}")
        == strings{R"(apiVersion: is missing; expected "harmony/v1")",
                   R"(kind: is missing; expected "AgentManifest")",
                   "metadata: is missing; expected an object",
                   "spec: is missing; expected an object"});
  CHECK(issues_of("[]") == strings{"expected an object, got an array of 0"});
  CHECK(issues_of("null") == strings{"expected an object, got null"});
}

TEST_CASE("manifest: a key that is there twice -> told, wherever it is") {
  const auto text = manifest_of(resource_of("File", R"({"path":"/a","content":"","path":"/b"})"));
  CHECK(issues_of(text)
        == strings{"spec.resources[0].spec.path: is there twice; a JSON object has each key "
                   "once"});
  CHECK_FALSE(read_manifest(text).value);
}

TEST_CASE("manifest: a number written as 7.0 -> a whole number") {
  const auto m = read_manifest(
    R"({"apiVersion":"harmony/v1","kind":"AgentManifest",
        "metadata":{"agent":"a","generation":7.0},"spec":{"resources":[]}})");
  REQUIRE(m.value);
  CHECK(m.value->metadata.generation == 7);
}

TEST_CASE("manifest: bad unit probes -> each its own reason") {
  const auto issues = [](const std::string& kind, const std::string& spec,
                         const std::string& check) {
    return issues_of(manifest_of(R"({"kind":")" + kind + R"(","name":"r","spec":)" + spec
                                 + R"(,"probes":{"liveness":{"unit":)" + check + "}}}"));
  };
  const auto of_unit = [&](const std::string& check) {
    return issues("SystemdUnit", R"({"unit":"a.service"})", check);
  };
  const std::string at = "spec.resources[0].probes.liveness.unit";
  CHECK(of_unit("{}").empty());
  CHECK(of_unit(R"({"unit":"b.timer","state":"inactive"})").empty());
  CHECK(of_unit(R"("b.service")") == strings{at + ": expected an object, got \"b.service\""});
  CHECK(of_unit(R"({"unit":"b"})")
        == strings{at
                   + ".unit: expected a systemd unit name such as \"web.service\" (a template "
                     "needs its instance: \"web@1.service\"), got \"b\""});
  CHECK(of_unit(R"({"state":"running"})")
        == strings{at
                   + ".state: expected one of \"active\", \"reloading\", \"inactive\", "
                     "\"failed\", \"activating\", \"deactivating\", got \"running\""});
  CHECK(of_unit(R"({"name":"b.service"})") == strings{at + ".name: unknown field"});

  CHECK(issues("Directory", R"({"path":"/a"})", R"({"unit":"b.service"})").empty());
  CHECK(issues("Directory", R"({"path":"/a"})", R"({"state":"active"})")
        == strings{at + ".unit: is missing; only a probe of a SystemdUnit may leave it out"});
  CHECK(issues("Directory", R"({"path":"/a"})", "7")
        == strings{at + ": expected an object, got 7"});
}

TEST_CASE("manifest: a long value in a message -> cut between two characters") {
  std::string word;
  for (int i = 0; i < 30; ++i)
    word += "é";
  const auto issues =
    issues_of(manifest_of(resource_of("SystemdUnit", R"({"unit":")" + word + "\"}")));
  REQUIRE(issues.size() == 1);
  CHECK(issues[0].substr(issues[0].rfind("got ")) == "got \"" + word.substr(0, 40) + "…\"");
}

} // namespace

} // namespace harmony

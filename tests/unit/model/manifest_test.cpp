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

/// The issues of a manifest whose only resource has this kind and spec, without the common prefix.
strings spec_issues(const std::string& kind, const std::string& spec) {
  auto all = issues_of(manifest_of(resource_of(kind, spec)));
  const std::string prefix = "spec.resources[0].spec";
  for (auto& each : all)
    if (each.rfind(prefix, 0) == 0)
      each.erase(0, prefix.size() + (each[prefix.size()] == '.' ? 1 : 0));
  return all;
}

/// A Container with these fields beside its image.
std::string container(const std::string& fields) {
  return R"({"image":"app:1",)" + fields + "}";
}

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
  REQUIRE(m->resources.size() == 6);
  CHECK(m->resources[0].spec
        == resource_spec{file_spec{"/etc/motd", "hello\n", {}, {}, "0640", "root", "0", true}});
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
  const auto& app = std::get<container_spec>(m->resources[5].spec);
  CHECK(app.memory == 64 * 1024 * 1024);
  CHECK(app.ports
        == std::vector<port_mapping>{{8081, 80, transport_protocol::udp, "127.0.0.1"},
                                     {8081, 80, transport_protocol::tcp, ""}});
  CHECK(app.mounts
        == std::vector<container_mount>{{mount_type::bind, "/", "/host", true},
                                        {mount_type::volume, "data", "/data", false},
                                        {mount_type::tmpfs, "", "/tmp", false}});
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

TEST_CASE("manifest: a bad File -> each fault by its path") {
  const strings path{
    R"(path: expected an absolute path without '.', '..', '//' or '/' at its end, )"
    R"(such as "/etc/motd", got )"};
  const auto bad =
    GENERATE(as<std::string>{}, "etc", "/", "/etc/", "/a//b", "/a/../b", "/a/.", "/..", "");
  CHECK(spec_issues("File", R"({"content":"","path":")" + bad + "\"}")
        == strings{path[0] + "\"" + bad + "\""});
}

TEST_CASE("manifest: bad specs -> each fault by its path") {
  struct sample {
    std::string kind;
    std::string spec;
    strings issues;
  };
  const auto s = GENERATE(values<sample>({
    {"File",
     R"({"path":"/a","content":"x","mode":420})",
     {R"(mode: expected an octal string like "0644", got 420)"}},
    {"File",
     R"({"path":"/a","content":"x","mode":"0999"})",
     {R"(mode: expected an octal string like "0644", got "0999")"}},
    {"File",
     R"({"path":"/a","contnt":"x"})",
     {"contnt: unknown field; did you mean 'content'?",
      ": expected exactly one of 'content', 'contentBase64', 'source', got none"}},
    {"File", R"({"path":"/a","content":"x","colour":"red"})", {"colour: unknown field"}},
    {"File",
     R"({"path":"/a","content":"x","contentBase64":""})",
     {": expected exactly one of 'content', 'contentBase64', 'source', got 'content', "
      "'contentBase64'"}},
    {"File",
     R"({"path":"/a","contentBase64":"AP9"})",
     {R"(contentBase64: expected base64 with padding (RFC 4648 section 4), got "AP9")"}},
    {"File",
     R"({"path":"/a","source":{"url":"ftp://h/x","sha256":"abc"}})",
     {"source.url: expected a URL such as \"https://host/file\", http or https, without user and "
      "password, got \"ftp://h/x\"",
      "source.sha256: expected 64 lower-case hexadecimal digits, got \"abc\""}},
    {"File",
     R"({"path":"/a","content":"x","owner":"Root!","group":4294967295,"adopt":"yes"})",
     {"owner: expected a name of a-z, 0-9, '_' and '-' (at most 32), or a number below 4294967295, "
      "got \"Root!\"",
      "group: expected a name of a-z, 0-9, '_' and '-' (at most 32), or a number below 4294967295, "
      "got 4294967295",
      "adopt: expected true or false, got \"yes\""}},
    {"File", R"("text")", {": expected an object, got \"text\""}},
    {"File", R"({"path":"/a","content":[1,2]})", {"content: expected text, got an array of 2"}},
    {"Directory",
     R"({"mode":"0755"})",
     {"path: is missing; expected an absolute path without '.', '..', '//' or '/' at its end, "
      "such as \"/etc/motd\""}},
    {"SystemdUnit",
     R"({"unit":"web","state":"running"})",
     {"unit: expected a systemd unit name such as \"web.service\" (a template needs its instance: "
      "\"web@1.service\"), got \"web\"",
      "state: expected one of \"active\", \"inactive\", got \"running\""}},
    {"SystemdUnit",
     R"({"unit":"web@.service"})",
     {"unit: expected a systemd unit name such as \"web.service\" (a template needs its instance: "
      "\"web@1.service\"), got \"web@.service\""}},
    {"Container",
     R"({"image":"App"})",
     {"image: expected an image reference such as \"registry.example/app:1.2\" or \"app@sha256:<64 "
      "digits>\", got \"App\""}},
    {"Container",
     container(R"("command":"sleep 1")"),
     {"command: expected a list, got \"sleep 1\""}},
    {"Container",
     container(R"("env":{"1A":"","B":2})"),
     {"env.1A: expected as its name a variable name of A-Z, a-z, 0-9, '_', '.' and '-', not "
      "beginning with a digit",
      "env.B: expected text without NUL, got 2"}},
    {"Container",
     container(R"("ports":[{"host":0,"container":65536,"protocol":"sctp"}])"),
     {"ports[0].host: expected a whole number from 1 to 65535, got 0",
      "ports[0].container: expected a whole number from 1 to 65535, got 65536",
      "ports[0].protocol: expected one of \"tcp\", \"udp\", got \"sctp\""}},
    {"Container",
     container(R"("ports":[{"host":80,"container":1},{"host":80,"container":2}])"),
     {"ports[1].host: host port 80 is published by ports[0] too"}},
    {"Container",
     container(R"("ports":[{"host":80,"container":1,"hostIp":"127.0.0.1"},
                                        {"host":80,"container":2,"hostIp":"127.0.0.2"},
                                        {"host":80,"container":2,"protocol":"udp"},
                                        {"host":80,"container":1,"hostIp":"127.0.0.2"},
                                        {"host":80,"container":2}])"),
     {"ports[3].host: host port 80 is published by ports[1] too",
      "ports[4].host: host port 80 is published by ports[0] too"}},
    {"Container",
     container(R"("ports":[{"host":80,"container":1,"hostIp":"localhost"}])"),
     {"ports[0].hostIp: expected an IP address such as \"127.0.0.1\" or \"::1\", got "
      "\"localhost\""}},
    {"Container",
     container(R"("mounts":[{"type":"tmpfs","source":"x","target":"/a"},
                                         {"type":"volume","source":"/x","target":"/b"},
                                         {"source":"x","target":"/c"},{"target":"/d"},
                                         {"source":"/x","target":"/a"}])"),
     {"mounts[0].source: a tmpfs has no source; leave it out",
      "mounts[1].source: expected a name of A-Z, a-z, 0-9, '_', '.' and '-', got \"/x\"",
      ("mounts[2].source: expected an absolute path without '.', '..', '//' or '/' at its end, or "
       "\"/\", got \"x\""),
      "mounts[3].source: is missing; expected the path on the device",
      "mounts[4].target: \"/a\" is the target of mounts[0] too"}},
    {"Container",
     container(R"("memory":"1Ki","pidsLimit":0,"user":"Me:")"),
     {"user: expected user or user:group, each a name or a number, such as \"1000:1000\", got "
      "\"Me:\"",
      "memory: expected a size of at least 1Mi such as \"64Mi\", \"1Gi\" or \"100M\", or a number "
      "of bytes, got \"1Ki\"",
      "pidsLimit: expected a whole number from 1 to 4194304, got 0"}},
  }));
  CHECK(spec_issues(s.kind, s.spec) == s.issues);
}

TEST_CASE("manifest: bad probes -> each fault by its path") {
  const std::string before = R"({"kind":"File","name":"r","spec":{"path":"/a","content":""},
                                 "probes":{)";
  const auto probes = [&](const std::string& text) {
    return issues_of(manifest_of(before + text + "}}"));
  };
  const std::string at = "spec.resources[0].probes.";
  CHECK(probes(R"("readyness":{})")
        == strings{at + "readyness: unknown field; did you mean 'readiness'?"});
  CHECK(
    probes(R"("readiness":{})")
    == strings{at + "readiness: expected exactly one of 'exec', 'tcp', 'http', 'unit', got none"});
  CHECK(probes(R"("readiness":{"exec":{"command":[]},"tcp":{"port":1}})")
        == strings{at
                     + "readiness.exec.command: expected a list that is not empty, got an array "
                       "of 0",
                   at
                     + "readiness: expected exactly one of 'exec', 'tcp', 'http', 'unit', got "
                       "'exec', 'tcp'"});
  CHECK(probes(R"("liveness":{"tcp":{"port":1},"successThreshold":2,"periodSeconds":0,
                              "timeoutSeconds":1.5})")
        == strings{at + "liveness.periodSeconds: expected a whole number from 1 to 86400, got 0",
                   at + "liveness.timeoutSeconds: expected a whole number from 1 to 3600, got 1.5",
                   at + "liveness.successThreshold: expected 1, got 2"});
  CHECK(probes(R"("readiness":{"http":{"port":1,"path":"a b","host":"a/b"}})")
        == strings{at + "readiness.http.host: expected a host name or an IP address, got \"a/b\"",
                   at
                     + "readiness.http.path: expected a path such as \"/healthz\" of printable "
                       "ASCII, got \"a b\""});
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
  const auto issues = spec_issues("SystemdUnit", R"({"unit":")" + word + "\"}");
  REQUIRE(issues.size() == 1);
  CHECK(issues[0].substr(issues[0].rfind("got ")) == "got \"" + word.substr(0, 40) + "…\"");
}

} // namespace

} // namespace harmony

#include "core/redaction.hpp"

#include <nlohmann/json.hpp>

#include "support/catch.hpp"

namespace harmony {
namespace {

using nlohmann::json;

const std::string manifest = R"({"apiVersion":"harmony/v1","kind":"AgentManifest",
  "metadata":{"agent":"pi-1","generation":3,"labels":{"site":"hall-seven"}},
  "spec":{"resources":[
  {"kind":"File","name":"key","spec":{"path":"/etc/key","content":"canary-content\n","mode":"0600"}},
  {"kind":"File","name":"b","spec":{"path":"/etc/b","contentBase64":"Y2FuYXJ5"}},
  {"kind":"File","name":"c","spec":{"path":"/etc/c","source":{"url":"https://u:canary-url@x/y",
   "sha256":"00ff"}}},
  {"kind":"Container","name":"app","spec":{"image":"localhost/app:1","env":{"PASSWORD":"canary-env",
   "name":"canary-name"},"command":["/bin/app","--token=canary-arg"],"ports":[{"host":80}]},
   "probes":{"readiness":{"http":{"path":"/?canary-probe","port":80}},
             "liveness":{"exec":{"command":["/bin/x","canary-exec"]}}}},
  {"kind":"New","name":"n","spec":{"someday":"canary-field","deep":{"path":"canary-deep"}}}]}})";

TEST_CASE("redactor: a manifest -> structure and harmless fields stay, every secret goes") {
  redactor r;
  const auto text = r.manifest(manifest);
  CHECK(text.find("canary") == std::string::npos);
  CHECK(text.find("Y2FuYXJ5") == std::string::npos);
  const auto value = json::parse(text);
  const auto& all = value["spec"]["resources"];
  REQUIRE(all.size() == 5);
  CHECK(value["metadata"]["labels"]["site"] == "hall-seven");
  CHECK(value["metadata"]["generation"] == 3);
  CHECK(all[0]["spec"]["path"] == "/etc/key");
  CHECK(all[0]["spec"]["mode"] == "0600");
  CHECK(all[0]["spec"]["content"] == "(redacted) 15 bytes");
  CHECK(all[2]["spec"]["source"]["sha256"] == "00ff");
  CHECK(all[3]["spec"]["image"] == "localhost/app:1");
  CHECK(all[3]["spec"]["env"].contains("PASSWORD"));
  CHECK(all[3]["spec"]["ports"][0]["host"] == 80);
}

TEST_CASE("redactor: a manifest in an envelope -> the same, and nothing of it as base64") {
  redactor r;
  envelope e{std::string{manifest_payload_type}, manifest, {{"0a1b", "x"}}};
  const auto value = json::parse(r.manifest(write_envelope(e)));
  CHECK(value["payload"] == json::parse(redactor{}.manifest(manifest)));
  CHECK(value["signatures"] == json::array({"0a1b"}));
  CHECK(r.scrub("it was canary-env").find("canary") == std::string::npos);
  e.payload = "canary, and no JSON";
  CHECK(redactor{}.manifest(write_envelope(e)).find("canary") == std::string::npos);
}

TEST_CASE("redactor: refs of secrets -> what names them stays, what is sealed goes") {
  redactor r;
  const auto value = json::parse(r.manifest(R"({"spec":{"resources":[
    {"spec":{"path":"/k","secretRef":{"file":"tls.key-file"}}},
    {"spec":{"secretEnv":{"TOKEN":{"credential":"db-token"},"PW":{"sealed":"canarycanary"}}}}]}})"));
  const auto& all = value["spec"]["resources"];
  CHECK(all[0]["spec"]["secretRef"]["file"] == "tls.key-file");
  CHECK(all[1]["spec"]["secretEnv"]["TOKEN"]["credential"] == "db-token");
  CHECK(all[1]["spec"]["secretEnv"]["PW"]["sealed"] == "(redacted) 12 bytes");
}

TEST_CASE("redactor: what a manifest held -> gone from every other text") {
  redactor r;
  r.learn("hunter2!");
  r.manifest(manifest);
  const auto text = r.scrub("env canary-env, canary-content, canary-name hunter2! hunter2!");
  CHECK(text == "env (redacted), (redacted), (redacted) (redacted) (redacted)");
}

TEST_CASE("redactor: one secret within another, or like the mark itself -> none is left") {
  redactor r;
  r.learn("secret");
  r.learn("secret-tail");
  r.learn("redacted");
  CHECK(r.scrub("a secret-tail b") == "a ((redacted)) b");
  CHECK(r.scrub("nothing") == "nothing");
}

TEST_CASE("redactor: words of five letters -> not taken for secrets") {
  redactor r;
  r.learn("debug");
  r.learn("");
  CHECK(r.scrub("a debug line") == "a debug line");
}

TEST_CASE(
  "redactor: a status or an audit line -> no output, no arguments, no secret in a message") {
  redactor r;
  r.learn("canary \"quoted\"");
  const auto text = r.record(
    R"({"resources":{"ShellJob/j":{"message":"it said canary \"quoted\"","state":{"job":{)"
    R"("exitCode":1,"stdout":"canary-out","stderr":""}}}},"command":["/bin/sh","-c","canary-c"]})");
  CHECK(text.find("canary") == std::string::npos);
  const auto value = json::parse(text);
  CHECK(value["resources"]["ShellJob/j"]["state"]["job"]["exitCode"] == 1);
  CHECK(value["command"][0] == "/bin/sh");
  CHECK(r.record("no JSON: canary \"quoted\"") == "no JSON: (redacted)");
  CHECK(r.manifest("{ canary").find("canary") == std::string::npos);
}

} // namespace
} // namespace harmony

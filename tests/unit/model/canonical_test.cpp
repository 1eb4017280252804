// The canonical form of a spec and what is hashed.

#include "model/manifest.hpp"
#include "support/catch.hpp"
#include "unit/model/documents.hpp"

namespace harmony {

namespace {

using test::manifest_of;

resource_spec spec_of(const std::string& kind, const std::string& json) {
  auto spec = read_spec(kind, json);
  INFO((spec ? "" : spec.error().message));
  REQUIRE(spec);
  return *spec;
}

TEST_CASE("canonical: defaults written out, other order, white space -> equal") {
  struct sample {
    std::string kind, brief, verbose;
  };
  const auto s = GENERATE(values<sample>({
    {"File", R"({"path":"/a","content":"x"})",
     R"({ "mode": "0644", "content": "\u0078", "path": "\/a", "adopt": false })"},
    {"Directory", R"({"path":"/a"})", R"({"path":"/a","mode":"0755","adopt":false})"},
    {"SystemdUnit", R"({"unit":"a.service"})", R"({"unit":"a.service","state":"active"})"},
    {"Container", R"({"image":"a","ports":[{"host":1,"container":1}],
                      "mounts":[{"source":"/a","target":"/a"}],"memory":"1Gi"})",
     R"({"image":"a","pullPolicy":"IfNotPresent","entrypoint":[],"command":[],"env":{},
         "ports":[{"protocol":"tcp","host":1.0,"container":1}],
         "mounts":[{"type":"bind","source":"/a","target":"/a","readOnly":false}],
         "memory":1073741824})"},
  }));
  CHECK(spec_of(s.kind, s.brief) == spec_of(s.kind, s.verbose));
  CHECK(canonical(spec_of(s.kind, s.brief)) == canonical(spec_of(s.kind, s.verbose)));
  CHECK(revision_of(spec_of(s.kind, s.brief)) == revision_of(spec_of(s.kind, s.verbose)));
}

TEST_CASE("canonical: sizes -> in the largest unit that divides them") {
  const auto memory = [](const std::string& size) {
    return canonical(spec_of("Container", R"({"image":"a","memory":)" + size + "}"));
  };
  CHECK(memory("\"1024Ki\"") == R"({"image":"a","memory":"1Mi"})");
  CHECK(memory("\"2048Gi\"") == R"({"image":"a","memory":"2Ti"})");
  CHECK(memory("\"100M\"") == R"({"image":"a","memory":100000000})");
  CHECK(memory("1048577") == R"({"image":"a","memory":1048577})");
}

TEST_CASE("canonical: read back -> the same spec") {
  const auto m = read_manifest(test::full_manifest()).value;
  REQUIRE(m);
  for (const auto& r : m->resources) {
    const auto again = read_spec(r.id.kind, canonical(r.spec));
    REQUIRE(again);
    CHECK(*again == r.spec);
    CHECK(r.revision == revision_of(r.spec));
  }
}

// The hashes are sha256sum's of the canonical text beside them. A changed one means that every
// device applies everything again after its update.
TEST_CASE("revision: known specs -> known hashes") {
  struct sample {
    std::string kind, json, canonical, hash;
  };
  const auto s = GENERATE(values<sample>({
    {"File", R"({"path":"/etc/motd","mode":"0644","content":"hello\n"})",
     R"({"content":"hello\n","path":"/etc/motd"})",
     "2340100268d72989df558cf5630f496140582ae75df26fdaf76e29f634c80f08"},
    {"SystemdUnit", R"({"unit":"web.service","enabled":true})",
     R"({"enabled":true,"unit":"web.service"})",
     "66aa3dae255aeb707e4939e4a9f37ac73e43d45ac777730b6e8b23d148c162b1"},
    {"Container", R"({"image":"app:1","env":{"A":"\u00e9"},"ports":[{"host":8080,"container":80}],
                      "memory":67108864,"pullPolicy":"Never"})",
     "{\"env\":{\"A\":\"\xc3\xa9\"},\"image\":\"app:1\",\"memory\":\"64Mi\","
     "\"ports\":[{\"container\":80,\"host\":8080}],\"pullPolicy\":\"Never\"}",
     "5764a76b76a232d6aec5b7b5d9b0aa5ceff93b32658170007caed80991928a4b"},
    {"Directory", R"({"path":"/srv","mode":"0700"})", R"({"mode":"0700","path":"/srv"})",
     "8848c4957d8d0c98a26d5d186ec1486b7138d737b31943e09a13ed0f13bbb788"},
  }));
  CHECK(canonical(spec_of(s.kind, s.json)) == s.canonical);
  CHECK(revision_of(spec_of(s.kind, s.json)) == "sha256:" + s.hash);
}

TEST_CASE("sha256: vectors of FIPS 180") {
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

manifest small_manifest() {
  manifest m;
  m.metadata.agent = "a";
  m.metadata.generation = 3;
  m.metadata.labels = {{"x", "1"}};
  resource r{
    {"File", "motd"}, {{{"Directory", "srv"}}}, {}, {}, {}, "me", file_spec{"/srv/m", "x"}, {}};
  m.resources = {r};
  return m;
}

TEST_CASE("content hash: known manifest -> sha256sum of what it covers") {
  CHECK(content_hash(small_manifest())
        == "sha256:27869c2b42fe805bbba7edd009e65a471dc1eb1b6745529f1fd729bc0428fb71");
}

TEST_CASE("content hash: generation, time of issue and order -> do not count") {
  auto a = small_manifest();
  a.resources.push_back({{"Directory", "srv"}, {}, {}, {}, {}, "", directory_spec{"/srv"}, {}});
  a.resources[0].depends_on.push_back({{"File", "z"}});
  auto b = a;
  b.metadata.generation = 4;
  b.metadata.issued_at = parse_time("2026-01-31T12:00:00Z");
  std::swap(b.resources[0], b.resources[1]);
  std::swap(b.resources[1].depends_on[0], b.resources[1].depends_on[1]);
  CHECK(content_hash(a) == content_hash(b));
}

TEST_CASE("content hash: anything else -> counts") {
  const auto before = small_manifest();
  auto m = before;
  SECTION("label") {
    m.metadata.labels["x"] = "2";
  }
  SECTION("key epoch") {
    m.metadata.key_epoch = 2;
  }
  SECTION("expiry") {
    m.metadata.expires_at = timestamp{};
  }
  SECTION("agent") {
    m.metadata.agent = "b";
  }
  SECTION("name") {
    m.resources[0].id.name = "n";
  }
  SECTION("dependency") {
    m.resources[0].depends_on.clear();
  }
  SECTION("restart") {
    m.resources[0].restart_on = {{"Directory", "srv"}};
  }
  SECTION("probe") {
    m.resources[0].probes.readiness = probe{tcp_probe{"h", 1}};
  }
  SECTION("origin") {
    m.resources[0].origin = "you";
  }
  SECTION("spec") {
    std::get<file_spec>(m.resources[0].spec).mode = "0600";
  }
  SECTION("rejected") {
    m.rejected.push_back({{"File", "b"}, ec::invalid_spec, "why", ""});
  }
  CHECK(content_hash(m) != content_hash(before));
}

TEST_CASE("revision: probes and origin -> do not count") {
  const auto plain = R"({"kind":"File","name":"r","spec":{"path":"/a","content":""}})";
  const auto more = R"({"kind":"File","name":"r","spec":{"path":"/a","content":""},"origin":"me",
                        "probes":{"readiness":{"tcp":{"port":1}}}})";
  const auto a = read_manifest(manifest_of(plain)).value;
  const auto b = read_manifest(manifest_of(more)).value;
  REQUIRE((a && b));
  CHECK(a->resources[0].revision == b->resources[0].revision);
  CHECK(content_hash(*a) != content_hash(*b));
}

TEST_CASE("read_spec: unknown kind, bad spec, no JSON -> each its failure") {
  CHECK(read_spec("Thing", "{}").error() == failure{ec::unknown_kind, "kind 'Thing' is not known"});
  CHECK(read_spec("Directory", R"({"path":"/a","mode":7})").error()
        == failure{ec::invalid_spec, "mode: expected an octal string like \"0644\", got 7"});
  CHECK(read_spec("Directory", "{").error().code == ec::invalid_spec);
}

TEST_CASE("kind_of: each alternative -> its name") {
  CHECK(kind_of(file_spec{}) == "File");
  CHECK(kind_of(directory_spec{}) == "Directory");
  CHECK(kind_of(systemd_unit_spec{}) == "SystemdUnit");
  CHECK(kind_of(container_spec{}) == "Container");
}

} // namespace

} // namespace harmony

#pragma once

// What the JSON Schema of a manifest is tried on.

#include <string>
#include <vector>

#include "unit/model/documents.hpp"

namespace harmony::test {

// Resources and manifests from their varying part.

inline std::string file(const std::string& rest) {
  return resource_of("File", R"({"path":"/a")" + rest + "}");
}
inline std::string container(const std::string& rest) {
  return resource_of("Container", R"({"image":"a")" + rest + "}");
}
inline std::string of(const std::string& kind, const std::string& fields) {
  return resource_of(kind, "{" + fields + "}");
}
inline std::string probes(const std::string& text) {
  return R"({"kind":"Directory","name":"d","spec":{"path":"/d"},"probes":)" + text + "}";
}
inline std::string beside(const std::string& fields) {
  return R"({"kind":"Directory","name":"d","spec":{"path":"/d"},)" + fields + "}";
}
inline std::string metadata(const std::string& fields) {
  return R"({"apiVersion":"harmony/v1","kind":"AgentManifest","metadata":)" + fields
         + R"(,"spec":{"resources":[]}})";
}

/// The members a and b; this one is a.
inline std::string open_cluster(const std::string& rest) {
  return of("PostgresCluster", R"("cluster":"c","member":"a","dataDir":"/d",
    "members":[{"name":"a","host":"h"},{"name":"b","host":"10.0.0.2"}])"
                                 + rest);
}

/// The same, whose standbys get in.
inline std::string cluster(const std::string& rest) {
  return open_cluster(R"(,"replication":{"secretRef":{"file":"pw"}})" + rest);
}

/// A document, and whether schema and codec accept it.
struct verdict {
  bool valid;
  std::string text;
};

inline const std::vector<verdict>& verdicts() {
  static const std::vector<verdict> all{
    {true, full_manifest()},
    {true, manifest_of("")},
    {false, "{}"},
    {false, "[]"},
    {false, "null"},
    {false, R"({"apiVersion":"harmony/v1","kind":"AgentManifest"})"},
    // secrets
    {true, manifest_of(file(R"(,"mode":"0640","secretRef":{"file":"a.b_c-1"})"))},
    {true, manifest_of(file(R"(,"mode":"0600","secretRef":{"credential":"a"})"))},
    {true, manifest_of(file(R"(,"mode":"0600","secretRef":{"sealed":"AP8="})"))},
    {false, manifest_of(file(R"(,"secretRef":{"file":"a"})"))},
    {false, manifest_of(file(R"(,"mode":"0644","secretRef":{"file":"a"})"))},
    {false, manifest_of(file(R"(,"mode":"0600","content":"","secretRef":{"file":"a"})"))},
    {false, manifest_of(file(R"(,"mode":"0600","secretRef":{"file":"../a"})"))},
    {false, manifest_of(file(R"(,"mode":"0600","secretRef":{"file":".."})"))},
    {false, manifest_of(file(R"(,"mode":"0600","secretRef":{"file":"a/b"})"))},
    {false, manifest_of(file(R"(,"mode":"0600","secretRef":{"file":"a","credential":"b"})"))},
    {false, manifest_of(file(R"(,"mode":"0600","secretRef":{})"))},
    {false, manifest_of(file(R"(,"mode":"0600","secretRef":"a")"))},
    {true, manifest_of(container(R"(,"secretEnv":{"A":{"file":"a"},"B":{"sealed":"AP8="}})"))},
    {false, manifest_of(container(R"(,"secretEnv":{"1A":{"file":"a"}})"))},
    {false, manifest_of(container(R"(,"secretEnv":{"A":"a"})"))},
    // metadata
    {true, metadata(R"({"agent":"a","generation":1})")},
    {true, metadata(R"({"agent":"a","generation":9007199254740991,"labels":{}})")},
    {false, metadata(R"({"agent":"a","generation":9007199254740992})")},
    {false, metadata(R"({"agent":"a","generation":0})")},
    {false, metadata(R"({"agent":"a","generation":-1})")},
    {false, metadata(R"({"agent":"a","generation":1.5})")},
    {false, metadata(R"({"agent":"a","generation":"1"})")},
    {false, metadata(R"({"agent":"a","generation":true})")},
    {false, metadata(R"({"agent":"A","generation":1})")},
    {false, metadata(R"({"generation":1})")},
    {false, metadata(R"({"agent":"a"})")},
    {false, metadata(R"({"agent":"a","generation":1,"keyEpoch":0})")},
    {true, metadata(R"({"agent":"a","generation":1,"keyEpoch":4294967295})")},
    {false, metadata(R"({"agent":"a","generation":1,"labels":{"a b":""}})")},
    {false, metadata(R"({"agent":"a","generation":1,"labels":{"a":1}})")},
    {false, metadata(R"({"agent":"a","generation":1,"issuedAt":"yesterday"})")},
    {false, metadata(R"({"agent":"a","generation":1,"issuedAt":null})")},
    {true, metadata(R"({"agent":"a","generation":1,"expiresAt":"2026-01-31T12:00:00.1+02:00"})")},
    {false, metadata(R"({"agent":"a","generation":1,"extra":1})")},
    // spec
    {true, R"({"apiVersion":"harmony/v1","kind":"AgentManifest",
               "metadata":{"agent":"a","generation":1},"spec":{"resources":[],"scores":[]}})"},
    {false, R"({"apiVersion":"harmony/v1","kind":"AgentManifest",
                "metadata":{"agent":"a","generation":1},"spec":{"resources":[],"scores":[{}]}})"},
    {false, R"({"apiVersion":"harmony/v1","kind":"AgentManifest",
                "metadata":{"agent":"a","generation":1},"spec":{}})"},
    {false, R"({"apiVersion":"harmony/v2","kind":"AgentManifest",
                "metadata":{"agent":"a","generation":1},"spec":{"resources":[]}})"},
    // resources
    {false, manifest_of("7")},
    {false, manifest_of(R"({"kind":"File","name":"a"})")},
    {false, manifest_of(R"({"kind":"PostgresCluster","name":"a","spec":{}})")},
    {false, manifest_of(R"({"kind":"Thing","name":"a","spec":{}})")},
    {false, manifest_of(R"({"kind":"File","name":"a_b","spec":{"path":"/a","content":""}})")},
    {true, manifest_of(beside(R"("dependsOn":[],"restartOn":[],"origin":"","probes":{})"))},
    {false, manifest_of(beside(R"("dependsOn":["a"])"))},
    {false, manifest_of(beside(R"("dependsOn":"File/a")"))},
    {false, manifest_of(beside(R"("restartOn":["Directory/d","Directory/d"])"))},
    {true, manifest_of(beside(R"("restartOn":["Directory/d"])"))},
    {true, manifest_of(beside(R"("dependsOn":[{"id":"File/f","condition":"applied"}])") + ","
                       + R"({"kind":"File","name":"f","spec":{"path":"/f","content":""}})")},
    {false, manifest_of(beside(R"("dependsOn":[{"id":"Directory/d","condition":"healthy"}])"))},
    {false, manifest_of(beside(R"("dependsOn":[{"condition":"ready"}])"))},
    {true, manifest_of(beside(R"("onRemove":"retain")"))},
    {false, manifest_of(beside(R"("onRemove":"keep")"))},
    {false, manifest_of(beside(R"("origin":7)"))},
    {false, manifest_of(beside(R"("dependOn":[])"))},
    // ShellJob
    {true, manifest_of(of("ShellJob", R"("command":["/bin/true"])"))},
    {true, manifest_of(of("ShellJob", R"("command":["/bin/a","b"],"unless":["/bin/c"],
       "creates":"/d","env":{"A":"b"},"workingDir":"/","user":"nobody","writablePaths":["/srv"],
       "network":true,"timeoutSeconds":1,"memory":"64Mi","tasksLimit":1,"cpuPercent":50)"))},
    {false, manifest_of(of("ShellJob", R"("command":[])"))},
    {false, manifest_of(of("ShellJob", R"("command":"/bin/true")"))},
    {false, manifest_of(of("ShellJob", R"("command":["/bin/true"],"creates":"a")"))},
    {false, manifest_of(of("ShellJob", R"("command":["/bin/true"],"timeoutSeconds":0)"))},
    // Package
    {true, manifest_of(of("Package", R"("package":"curl")"))},
    {true, manifest_of(of("Package", R"("package":"libc6:arm64","version":"2.36-9+deb12u4")"))},
    {true, manifest_of(of("Package", R"("package":"curl","state":"absent")"))},
    {false, manifest_of(of("Package", R"("package":"curl","state":"absent","version":"1")"))},
    {false, manifest_of(of("Package", R"("package":"-y")"))},
    {false, manifest_of(of("Package", R"("package":"Curl")"))},
    {false, manifest_of(of("Package", R"("package":"curl","version":"1 2")"))},
    {false, manifest_of(of("Package", R"("package":"curl","state":"latest")"))},
    // User
    {true, manifest_of(of("User", R"("user":"web")"))},
    {true, manifest_of(of("User", R"("user":"_web","uid":1234,"group":"www","groups":["adm"],
       "home":"/srv/web","shell":"/bin/sh","comment":"Web, site","system":true,"adopt":true)"))},
    {false, manifest_of(of("User", R"("user":"0")"))},
    {false, manifest_of(of("User", R"("user":"web","uid":0)"))},
    {false, manifest_of(of("User", R"("user":"web","comment":"a:b")"))},
    {false, manifest_of(of("User", R"("user":"web","groups":["Adm"])"))},
    // Network
    {true, manifest_of(of("Network", R"("link":"eth0","addresses":["10.0.0.2/24","fd00::2/64"])"))},
    {true, manifest_of(of("Network", R"("link":"v7","type":"vlan","parent":"eth0","vlanId":7)"))},
    {true, manifest_of(of("Network", R"("link":"br0","type":"bridge","members":["eth0"],"mtu":1400,
       "state":"down","routes":[{"to":"default","via":"10.0.0.1","metric":5}],
       "confirmSeconds":0)"))},
    {false, manifest_of(of("Network", R"("link":"a/b")"))},
    {false, manifest_of(of("Network", R"("link":"sixteen-bytes-xx")"))},
    {false, manifest_of(of("Network", R"("link":"eth0","addresses":["10.0.0.2"])"))},
    {false, manifest_of(of("Network", R"("link":"eth0","addresses":["10.0.0.2/33"])"))},
    {false, manifest_of(of("Network", R"("link":"eth0","vlanId":7)"))},
    {false, manifest_of(of("Network", R"("link":"eth0","members":[])"))},
    {false, manifest_of(of("Network", R"("link":"v7","type":"vlan","vlanId":7)"))},
    {false, manifest_of(of("Network", R"("link":"v7","type":"vlan","parent":"e","vlanId":4095)"))},
    {false, manifest_of(of("Network", R"("link":"e","routes":[{"to":"10.0.0.0"}])"))},
    {false, manifest_of(of("Network", R"("link":"e","mtu":67)"))},
    // PostgresCluster
    {true, manifest_of(cluster(""))},
    {true, manifest_of(cluster(R"(,"mode":"strict","syncCount":1,"maxLag":1048576,"priority":0,
       "timings":{},"parameters":{"datestyle":"","synchronous_commit":"remote_apply"},"hba":[])"))},
    {true, manifest_of(open_cluster(R"(,"hba":["local all all peer",
       "hostssl app,replication all all cert"],"replication":{})"))},
    {true, manifest_of(of("PostgresCluster", R"("cluster":"c","member":"a","dataDir":"/d",
       "members":[{"name":"a","host":"h"}])"))},
    {false, manifest_of(cluster(R"(,"mode":"sync")"))},
    {false, manifest_of(cluster(R"(,"syncCount":0)"))},
    {false, manifest_of(cluster(R"(,"version":"15.3")"))},
    {false, manifest_of(cluster(R"(,"version":15)"))},
    {false, manifest_of(cluster(R"(,"owner":"root")"))},
    {false, manifest_of(cluster(R"(,"owner":"0")"))},
    {false, manifest_of(cluster(R"(,"timings":{"leaseMilliseconds":0})"))},
    {false, manifest_of(cluster(R"(,"timings":{"lease":3000})"))},
    {false, manifest_of(cluster(R"(,"maxLag":"1Kb")"))},
    {false, manifest_of(cluster(R"(,"rejoin":true)"))},
    {false, manifest_of(
              open_cluster(R"(,"replication":{"user":"Replicator","secretRef":{"file":"pw"}})"))},
    {false, manifest_of(open_cluster(R"(,"replication":{"secretRef":"pw"})"))},
    {false, manifest_of(cluster(R"(,"parameters":{"primary_conninfo":""})"))},
    {false, manifest_of(cluster(R"(,"parameters":{"recovery_target_lsn":""})"))},
    {false, manifest_of(cluster(R"(,"parameters":{"synchronous_commit":"off"})"))},
    {false, manifest_of(cluster(R"(,"parameters":{"DateStyle":""})"))},
    {false, manifest_of(cluster(R"(,"parameters":{"a..b":""})"))},
    {false, manifest_of(cluster(R"(,"parameters":{"work_mem":4})"))},
    {false, manifest_of(cluster(R"(,"parameters":{"work_mem":"4MB\nport=1"})"))},
    {false, manifest_of(cluster(R"(,"hba":[""])"))},
    {false, manifest_of(cluster(R"(,"endpoint":{"address":"0.0.0.0"})"))},
    {false, manifest_of(of("PostgresCluster", R"("cluster":"c","member":"a","dataDir":"d",
       "members":[{"name":"a","host":"h"}])"))},
    {false, manifest_of(of("PostgresCluster", R"("cluster":"c","member":"a_b","dataDir":"/d",
       "members":[{"name":"a_b","host":"h"}])"))},
    {false, manifest_of(of("PostgresCluster", R"("cluster":"C","member":"a","dataDir":"/d",
       "members":[{"name":"a","host":"h"}])"))},
    {false, manifest_of(of("PostgresCluster", R"("cluster":"c","member":"a","dataDir":"/d",
       "members":[])"))},
    // File
    {true, manifest_of(file(R"(,"content":"")"))},
    {true, manifest_of(file(R"(,"contentBase64":"AA==")"))},
    {false, manifest_of(file(R"(,"contentBase64":"AB==")"))},
    {false, manifest_of(file(""))},
    {false, manifest_of(file(R"(,"content":"","contentBase64":"")"))},
    {false, manifest_of(file(R"(,"content":"","mode":"644")"))},
    {false, manifest_of(file(R"(,"content":"","mode":420)"))},
    {false, manifest_of(file(R"(,"content":"","owner":"")"))},
    {true, manifest_of(file(R"(,"content":"","owner":"0","group":"adm")"))},
    {false, manifest_of(file(R"(,"content":"","adopt":0)"))},
    {false, manifest_of(file(R"(,"source":{"url":"https://h/x"})"))},
    {false, manifest_of(resource_of("File", R"({"path":"/a/../b","content":""})"))},
    {false, manifest_of(resource_of("File", R"({"path":"a","content":""})"))},
    {false, manifest_of(resource_of("File", "[]"))},
    // Directory, SystemdUnit
    {true, manifest_of(resource_of("Directory", R"({"path":"/a","mode":"0000"})"))},
    {false, manifest_of(resource_of("Directory", R"({"path":"/a","content":""})"))},
    {true, manifest_of(resource_of("SystemdUnit", R"({"unit":"a@b.service"})"))},
    {false, manifest_of(resource_of("SystemdUnit", R"({"unit":"a@.service"})"))},
    {false, manifest_of(resource_of("SystemdUnit", R"({"unit":"a.service","state":"on"})"))},
    {false, manifest_of(resource_of("SystemdUnit", R"({"unit":"a.service","content":"\u0000"})"))},
    {false, manifest_of(resource_of("SystemdUnit", R"({"unit":"a.service","enabled":"yes"})"))},
    // Container
    {true, manifest_of(container(""))},
    {false, manifest_of(resource_of("Container", R"({"image":"A B"})"))},
    {true, manifest_of(container(R"(,"memory":1048576)"))},
    {false, manifest_of(container(R"(,"memory":1048575)"))},
    {false, manifest_of(container(R"(,"memory":"64mb")"))},
    {false, manifest_of(container(R"(,"pidsLimit":0)"))},
    {false, manifest_of(container(R"(,"env":{"1":""})"))},
    {false, manifest_of(container(R"(,"env":[])"))},
    {true, manifest_of(container(R"(,"user":"root:0","network":"none","workingDir":"/w")"))},
    {false, manifest_of(container(R"(,"user":"root:")"))},
    {false, manifest_of(container(R"(,"ports":[{"host":1}])"))},
    {false, manifest_of(container(R"(,"ports":[{"host":1,"container":0}])"))},
    {false, manifest_of(container(R"(,"ports":[{"host":1,"container":1,"hostIp":"x"}])"))},
    {true, manifest_of(container(R"(,"mounts":[{"source":"/","target":"/a"}])"))},
    {false, manifest_of(container(R"(,"mounts":[{"target":"/a"}])"))},
    {false, manifest_of(container(R"(,"mounts":[{"source":"v","target":"/a"}])"))},
    {true, manifest_of(container(R"(,"mounts":[{"type":"volume","source":"v","target":"/a"}])"))},
    {false, manifest_of(container(R"(,"mounts":[{"type":"volume","source":"/v","target":"/a"}])"))},
    {false, manifest_of(container(R"(,"mounts":[{"type":"volume","target":"/a"}])"))},
    {true, manifest_of(container(R"(,"mounts":[{"type":"tmpfs","target":"/a"}])"))},
    {false, manifest_of(container(R"(,"mounts":[{"type":"tmpfs","source":"v","target":"/a"}])"))},
    {false, manifest_of(container(R"(,"mounts":[{"type":"tmpfs","target":"/"}])"))},
    // probes
    {true, manifest_of(probes(R"({"readiness":{"tcp":{"port":1},"successThreshold":100}})"))},
    {false, manifest_of(probes(R"({"startup":{"tcp":{"port":1},"successThreshold":2}})"))},
    {false, manifest_of(probes(R"({"liveness":{"tcp":{"port":1},"successThreshold":2}})"))},
    {true, manifest_of(probes(R"({"liveness":{"tcp":{"port":1},"successThreshold":1}})"))},
    {false, manifest_of(probes(R"({"readiness":{}})"))},
    {false, manifest_of(probes(R"({"readiness":{"tcp":{"port":1},"http":{"port":1}}})"))},
    {false, manifest_of(probes(R"({"readiness":{"exec":{"command":[]}}})"))},
    {false, manifest_of(probes(R"({"readiness":{"exec":{"command":"x"}}})"))},
    {false, manifest_of(probes(R"({"readiness":{"http":{"port":1,"path":"x"}}})"))},
    {false, manifest_of(probes(R"({"readiness":{"tcp":{"port":1},"periodSeconds":0}})"))},
    {false, manifest_of(probes(R"({"ready":{"tcp":{"port":1}}})"))},
    {true, manifest_of(probes(R"({"readiness":{"unit":{"unit":"a.service"}}})"))},
    {true, manifest_of(probes(R"({"startup":{"unit":{"unit":"a.service","state":"failed"}}})"))},
    {false, manifest_of(probes(R"({"readiness":{"unit":{"unit":"a"}}})"))},
    {false, manifest_of(probes(R"({"readiness":{"unit":{"unit":"a.service","state":"up"}}})"))},
    {false, manifest_of(probes(R"({"readiness":{"unit":{}}})"))},
    {false, manifest_of(probes(R"({"startup":{"unit":{"state":"active"}}})"))},
    {false, manifest_of(probes(R"({"liveness":{"unit":{}}})"))},
    {true, manifest_of(R"({"kind":"SystemdUnit","name":"a","spec":{"unit":"a.service"},)"
                       R"("probes":{"startup":{"unit":{}},"liveness":{"unit":{}}}})")},
  };
  return all;
}

/// A rule that the codec holds and a JSON Schema cannot say; docs/protocol.md has the same list.
struct codec_rule {
  std::string name;
  std::string message; ///< a part of what the codec says
  std::string sample;  ///< breaks this rule and no other
};

inline const std::vector<codec_rule>& codec_rules() {
  const auto two = [](const std::string& a, const std::string& b) {
    return manifest_of(a + "," + b);
  };
  const auto dir = [](const std::string& name, const std::string& path, const std::string& more) {
    return R"({"kind":"Directory","name":")" + name + R"(","spec":{"path":")" + path + "\"}" + more
           + "}";
  };
  static const std::vector<codec_rule> all{
    {"IPv6 address of a link", "expected an address with its prefix length",
     manifest_of(of("Network", R"("link":"e","addresses":["1::2::3/64"])"))},
    {"program by name", "expected an absolute path of a program",
     manifest_of(of("ShellJob", R"("command":["true"])"))},
    {"guard by name", "expected an absolute path of a program",
     manifest_of(of("ShellJob", R"("command":["/bin/true"],"unless":["test"])"))},
    {"completed of a file", "never completes; only a ShellJob does",
     manifest_of(dir("d", "/d", R"(,"dependsOn":[{"id":"Directory/e","condition":"completed"}])")
                 + "," + dir("e", "/e", ""))},
    {"size", "bytes long; the limit is",
     manifest_of(resource_of("File", R"({"path":"/a","content":")"
                                       + std::string(max_document_bytes, 'x') + "\"}"))},
    {"duplicate key", "is there twice; a JSON object has each key once",
     manifest_of(R"({"kind":"Directory","name":"a","name":"b","spec":{"path":"/a"}})")},
    {"duplicate id", "is the id of", two(dir("a", "/a", ""), dir("a", "/b", ""))},
    {"duplicate target", "is managed by", two(dir("a", "/a", ""), dir("b", "/a", ""))},
    {"unknown dependency", "is not in this manifest",
     manifest_of(dir("a", "/a", R"(,"dependsOn":["File/x"])"))},
    {"dependency cycle", "leads back to itself",
     manifest_of(dir("a", "/a", R"(,"dependsOn":["Directory/a"])"))},
    {"host port twice", "is published by",
     manifest_of(container(R"(,"ports":[{"host":1,"container":1},{"host":1,"container":2}])"))},
    {"variable twice", "is in 'env' too",
     manifest_of(container(R"(,"env":{"A":"1"},"secretEnv":{"A":{"file":"a"}})"))},
    {"mount target twice", "is the target of",
     manifest_of(container(R"(,"mounts":[{"type":"tmpfs","target":"/a"},
                                          {"source":"/","target":"/a"}])"))},
    {"member that is not listed", "is not among 'members'",
     manifest_of(of("PostgresCluster", R"("cluster":"c","member":"b","dataDir":"/d",
       "members":[{"name":"a","host":"h"}])"))},
    {"member twice", " of members[",
     manifest_of(of("PostgresCluster", R"("cluster":"c","member":"a","dataDir":"/d",
       "replication":{"secretRef":{"file":"pw"}},
       "members":[{"name":"a","host":"h"},{"name":"a","host":"i"}])"))},
    {"standbys of a cluster", "standbys are to acknowledge each commit",
     manifest_of(cluster(R"(,"mode":"quorum","syncCount":2)"))},
    {"password of the standbys", "spec.replication.secretRef: is missing, so that no standby",
     manifest_of(open_cluster(R"(,"hba":["host all all all md5","local replication all peer",
       "host \"replication\" all all trust"])"))},
    {"port of an endpoint", "is this member's PostgreSQL's port too",
     manifest_of(cluster(R"(,"endpoint":{"port":5432})"))},
    {"account number", "a number below 4294967295",
     manifest_of(file(R"(,"content":"","owner":"4294967295")"))},
    {"account number in user", "each a name or a number",
     manifest_of(container(R"(,"user":"9999999999:0")"))},
    {"value of a size", "a size of at least 1Mi", manifest_of(container(R"(,"memory":"1Ki")"))},
    {"calendar", "(RFC 3339)",
     metadata(R"({"agent":"a","generation":1,"issuedAt":"2026-02-30T12:00:00Z"})")},
    {"IPv6 address", "expected an IP address",
     manifest_of(container(R"(,"ports":[{"host":1,"container":1,"hostIp":"1::2::3"}])"))},
    {"IPv6 address of a probe", "a host name or an IP address",
     manifest_of(probes(R"({"readiness":{"tcp":{"host":":::","port":1}}})"))},
    {"length in bytes", "such as \"/etc/motd\", got \"/éé",
     [] {
       std::string path = R"({"path":"/)";
       for (int i = 0; i < 2048; ++i)
         path += "é";
       return manifest_of(resource_of("Directory", path + "\"}"));
     }()},
  };
  return all;
}

} // namespace harmony::test

#pragma once

// Documents that several tests of the model start from.

#include <string>
#include <vector>

#include "model/manifest.hpp"

namespace harmony::test {

/// The issues of a manifest as `path: message`.
inline std::vector<std::string> issues_of(const std::string& text) {
  std::vector<std::string> result;
  for (const auto& each : read_manifest(text).issues)
    result.push_back((each.path.empty() ? "" : each.path + ": ") + each.message);
  return result;
}

/// A manifest of one device with these resources: the text between the brackets of the list.
inline std::string manifest_of(const std::string& resources) {
  return R"({"apiVersion":"harmony/v1","kind":"AgentManifest",
    "metadata":{"agent":"pi-0042","generation":7},"spec":{"resources":[)"
         + resources + "]}}";
}

/// A resource of `kind`, named "r", with this spec.
inline std::string resource_of(const std::string& kind, const std::string& spec) {
  return R"({"kind":")" + kind + R"(","name":"r","spec":)" + spec + "}";
}

/// A manifest that sets every field that there is, each to something else than its default.
inline std::string full_manifest() {
  return R"({
  "apiVersion": "harmony/v1", "kind": "AgentManifest",
  "metadata": {
    "agent": "pi-0042", "generation": 7, "keyEpoch": 2,
    "issuedAt": "2026-01-31T12:00:00Z", "expiresAt": "2026-02-28T12:00:00.250+01:00",
    "labels": {"site": "north", "example.org/rack": "r 2"}
  },
  "spec": {
    "scores": [],
    "resources": [
      {"kind": "File", "name": "motd", "origin": "class/base",
       "spec": {"path": "/etc/motd", "content": "hello\n", "mode": "0640", "owner": "root",
                "group": "0", "adopt": true}},
      {"kind": "File", "name": "blob", "spec": {"path": "/opt/blob", "contentBase64": "AP8="}},
      {"kind": "File", "name": "tool",
       "spec": {"path": "/opt/tool", "source": {"url": "https://example.org/tool?v=1",
         "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}},
      {"kind": "Directory", "name": "data",
       "spec": {"path": "/srv/data", "mode": "1777", "owner": "www-data", "group": "adm",
                "adopt": true},
       "probes": {"readiness": {"unit": {"unit": "srv-data.mount", "state": "failed"}}}},
      {"kind": "SystemdUnit", "name": "web", "dependsOn": ["File/motd", "Directory/data"],
       "restartOn": ["File/motd"],
       "spec": {"unit": "web@1.service", "content": "[Service]\n", "enabled": true,
                "state": "inactive"},
       "probes": {
         "startup": {"exec": {"command": ["/bin/true", ""]}, "failureThreshold": 30},
         "readiness": {"tcp": {"host": "::1", "port": 8080}, "successThreshold": 2,
                       "initialDelaySeconds": 3, "periodSeconds": 5, "timeoutSeconds": 2},
         "liveness": {"http": {"host": "localhost", "port": 80, "path": "/healthz?x=1"}}}},
      {"kind": "Container", "name": "app",
       "spec": {"image": "registry.example:5000/team/app:1.2", "pullPolicy": "Always",
                "entrypoint": ["/app"], "command": ["--port", "80"],
                "env": {"A": "1", "b.c-d": ""},
                "secretEnv": {"PASSWORD": {"file": "db-password"}, "TOKEN": {"sealed": "AP8="}},
                "ports": [{"host": 8081, "container": 80, "protocol": "udp",
                           "hostIp": "127.0.0.1"}, {"host": 8081, "container": 80}],
                "mounts": [{"source": "/", "target": "/host", "readOnly": true},
                           {"type": "volume", "source": "data", "target": "/data"},
                           {"type": "tmpfs", "target": "/tmp"}],
                "user": "1000:adm", "network": "host", "workingDir": "/", "memory": "64Mi",
                "pidsLimit": 100}},
      {"kind": "File", "name": "key",
       "spec": {"path": "/opt/key", "mode": "0600", "secretRef": {"credential": "tls.key"}}},
      {"kind": "PostgresCluster", "name": "orders",
       "spec": {"cluster": "orders-1", "member": "edge-2",
                "members": [{"name": "edge-1", "host": "10.0.0.1"},
                            {"name": "edge-2", "host": "e2.example.org", "port": 5433},
                            {"name": "edge-3", "host": "fd00::3"}],
                "dataDir": "/srv/pg/orders", "version": "15", "owner": "pg", "mode": "quorum",
                "syncCount": 2, "profile": "normal",
                "timings": {"leaseMilliseconds": 14000, "killMilliseconds": 900,
                            "stopMilliseconds": 1100, "windowMilliseconds": 15500,
                            "renewMilliseconds": 800, "requestMilliseconds": 700},
                "maxLag": "64Mi", "priority": 3, "bootstrap": true, "rejoin": "clone",
                "restartSeconds": 5,
                "replication": {"user": "standby", "secretRef": {"file": "orders"}},
                "parameters": {"shared_buffers": "128MB", "auto_explain.log_timing": "on"},
                "hba": ["host all app 10.0.0.0/8 scram-sha-256"],
                "endpoint": {"address": "0.0.0.0", "port": 8008}}}
    ]
  }
})";
}

} // namespace harmony::test

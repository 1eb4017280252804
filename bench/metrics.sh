#!/bin/bash
# What metrics cost an agent in memory: with 20 Files over a directory store, without podman and systemd, 15 s after it
# converged, and after 20 requests. In turn without and with metrics; the first run makes the files. Needs the release build.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=build/release/bin
folder=$(mktemp -d)
agent=''
trap '[ -z "$agent" ] || kill "$agent" 2>/dev/null; rm -r "$folder"' EXIT
export HARMONY_STORE=dir:$folder/store

files=''
for i in $(seq 20); do
  files+="${files:+,}{\"kind\":\"File\",\"name\":\"f$i\",\"spec\":{\"path\":\"$folder/f$i\",\"content\":\"x\"}}"
done
echo "{\"apiVersion\":\"harmony/v1\",\"kind\":\"AgentManifest\",\"metadata\":{\"agent\":\"pi-1\"},\"spec\":{\"resources\":[$files]}}" >"$folder/manifest.json"
$bin/harmonyctl init >"$folder/log"

look() {
  grep -E '^(Pss|Private_Dirty):' "/proc/$agent/smaps_rollup" | tr -s '\n ' ' '
  echo "threads: $(find "/proc/$agent/task" -mindepth 1 -maxdepth 1 | wc -l)"
}
for metrics in off off "unix:$folder/metrics" off "unix:$folder/metrics"; do
  $bin/harmony-agent --agent-id pi-1 --state-dir "$folder/state" --systemd off --podman off --log-level off --metrics "$metrics" &
  agent=$!
  $bin/harmonyctl apply -f "$folder/manifest.json" --wait >"$folder/log"
  sleep 15
  echo "${metrics%%:*}: $(look)"
  if [ "$metrics" != off ]; then
    for _ in $(seq 20); do curl -sf --unix-socket "$folder/metrics" http://agent/metrics >"$folder/answer"; done
    echo "after 20 requests, $(wc -c <"$folder/answer") bytes each: $(look)"
  fi
  kill $agent
  wait $agent || true
  agent=''
done

#!/bin/bash
# The demo itself. Runs inside the disposable device (`device`), or in a private folder on this machine (`local`).
# Called by scripts/demo.
# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/common.sh"

place=$1
agent=demo
patience=15 # seconds that anything here may take
work=$(mktemp -d)
PATH=$repository/build/release/bin:$PATH
pids=()

finish() {
  local status=$? pid
  if [ $status != 0 ]; then
    echo "--- the agent's log ends with:"
    tail -n 20 "$work/agent.log" 2>/dev/null || true
  fi
  for pid in "${pids[@]}"; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$work"
  exit $status
}
trap finish EXIT
trap 'exit 143' INT TERM HUP

# Shows a command and runs it.
run() {
  printf '%s\n' "${bold}\$ $*$plain"
  "$@"
}

# await WHAT COMMAND…: until the command succeeds; says how long that took, in milliseconds.
await() {
  local what=$1 begun=${EPOCHREALTIME/./} now
  shift
  until "$@" >/dev/null 2>&1; do
    now=${EPOCHREALTIME/./}
    [ $((now - begun)) -lt $((patience * 1000000)) ] || die "not within $patience s: $what"
    sleep 0.01
  done
  now=${EPOCHREALTIME/./}
  note "$what after $(((now - begun) / 1000)) ms"
}

desired() { harmonyctl get manifest $agent -o json; }

# field KIND FIELD: that field of the first resource of that kind.
field() {
  desired | jq -er --arg kind "$1" --arg field "$2" 'first(.spec.resources[] | select(.kind == $kind)).spec[$field]'
}

start_store() {
  if [ "$HARMONY_DEMO_STORE" = dir ]; then
    mkdir "$work/store"
    export HARMONY_STORE=dir:$work/store
    say "The store is a folder"
    note "HARMONY_STORE=$HARMONY_STORE"
  else
    mkdir "$work/nats"
    nats-server --jetstream --store_dir "$work/nats" --addr 127.0.0.1 --port -1 --ports_file_dir "$work/nats" \
      >"$work/nats.log" 2>&1 &
    pids+=($!)
    say "The store is a nats-server of its own"
    await "nats-server listens" compgen -G "$work/nats/*.ports"
    HARMONY_STORE=$(jq -r '.nats[0]' "$work"/nats/*.ports)
    export HARMONY_STORE
    note "HARMONY_STORE=$HARMONY_STORE"
  fi
  run harmonyctl init
}

# An image around one static program: nothing is pulled.
build_image() {
  say "A container image, made here from busybox"
  mkdir -p "$work/image/bin" "$work/image/www"
  cp "$(command -v busybox)" "$work/image/bin/busybox"
  ln -s busybox "$work/image/bin/sh"
  echo 'hello from the container' >"$work/image/www/index.html"
  tar --directory "$work/image" --create . |
    podman import --quiet --change 'STOPSIGNAL SIGKILL' --change 'CMD ["/bin/busybox","httpd","-f","-p","8080","-h","/www"]' \
      - localhost/harmony-demo:1 >/dev/null
  run podman images --noheading
}

start_agent() {
  local options=(--agent-id "$agent" --store "$HARMONY_STORE" --state-dir "$work/state" --heartbeat-interval 1s)
  if [ "$place" = device ]; then
    systemctl start podman.socket
    options+=(--systemd system --podman /run/podman/podman.sock)
  else
    options+=(--systemd off --podman off)
  fi
  say "The agent"
  printf '%s\n' "${bold}\$ harmony-agent ${options[*]} &$plain"
  harmony-agent "${options[@]}" >"$work/agent.log" 2>&1 &
  pids+=($!)
}

write_local_manifest() {
  cat >"$work/demo.yaml" <<END
apiVersion: harmony/v1
kind: AgentManifest
metadata: { agent: $agent }
spec:
  resources:
    - kind: Directory
      name: site
      spec: { path: $work/site }
    - kind: File
      name: page
      dependsOn: [Directory/site]
      spec: { path: $work/site/index.html, content: "Hello from a manifest.\n" }
    - kind: File
      name: motd
      spec: { path: $work/motd, content: "This device is managed.\n", mode: "0600" }
END
}

converge() {
  say "A manifest"
  manifest=config/manifests/demo.yaml
  if [ "$place" = local ]; then
    write_local_manifest
    manifest=$work/demo.yaml
  fi
  run cat "$manifest"
  run harmonyctl apply -f "$manifest"
  run harmonyctl wait $agent --for=converged --timeout=${patience}s
  run harmonyctl get resources $agent
}

# Asks every port that the manifest speaks of.
visit() {
  local port
  for port in $(desired | jq -r '[.spec.resources[] | .probes.readiness.tcp.port?, .spec.ports[]?.host?]
                                 | map(select(. != null)) | unique[]'); do
    run curl --silent --show-error --fail --max-time 5 "http://127.0.0.1:$port/"
  done
}

heal_file() {
  local path content
  path=$(field File path)
  content=$(cat "$path"; echo .)
  say "Somebody edits a file by hand"
  printf '%s\n' "${bold}\$ echo 'I was here' >$path$plain"
  echo 'I was here' >"$path"
  # shellcheck disable=SC2016
  await "'$path' is as the manifest says again" bash -c '[ "$(cat "$1"; echo .)" = "$2" ]' - "$path" "$content"
  run cat "$path"
}

heal_unit() {
  local unit pid
  unit=$(field SystemdUnit unit)
  pid=$(systemctl show --property MainPID --value "$unit")
  say "The service dies"
  run kill -KILL "$pid"
  # shellcheck disable=SC2016
  await "'$unit' runs again" bash -c '
    now=$(systemctl show --property MainPID --value "$1")
    [ "$now" != 0 ] && [ "$now" != "$2" ] && systemctl is-active --quiet "$1"' - "$unit" "$pid"
  run systemctl status --no-pager --lines 0 "$unit"
}

ask_device() {
  say "An operator asks the device itself"
  run harmonyctl ping $agent
  if [ "$place" = device ]; then
    run harmonyctl logs $agent "SystemdUnit/$(desired | jq -er 'first(.spec.resources[] | select(.kind == "SystemdUnit")).name')" --tail 3
  fi
  desired | jq 'del(.metadata.generation) | (first(.spec.resources[] | select(.kind == "File")).spec.mode) = "0600"' >"$work/planned.json"
  run harmonyctl plan -f "$work/planned.json"
}

collect() {
  local gone_kind gone
  if [ "$place" = device ]; then gone_kind=Container; else gone_kind=File; fi
  gone=$(desired | jq -er --arg kind $gone_kind 'last(.spec.resources[] | select(.kind == $kind)).name')
  say "$gone_kind/$gone leaves the manifest, and with it the device"
  desired | jq --arg kind $gone_kind --arg name "$gone" \
    'del(.spec.resources[] | select(.kind == $kind and .name == $name)) | del(.metadata.generation)' >"$work/less.json"
  run harmonyctl apply -f "$work/less.json"
  run harmonyctl wait $agent --for=converged --timeout=${patience}s
  run harmonyctl get resources $agent
  if [ "$place" = device ]; then
    # shellcheck disable=SC2016
    await "the container is gone" bash -c '[ -z "$(podman ps --all --quiet)" ]'
    run podman ps --all
  else
    await "'$work/motd' is gone" test ! -e "$work/motd"
    run ls "$work"
  fi
}

look_further() {
  say "Look further"
  run harmonyctl get agents
  if [ -n "${HARMONY_DEMO_SHELL:-}" ]; then
    note "A shell where all this runs; 'exit' ends it and everything."
    note "Try: harmonyctl watch · harmonyctl describe agent $agent · harmonyctl get manifest $agent -o yaml"
    echo "PS1='demo # '" >"$work/shellrc"
    script --quiet --command "bash --rcfile $work/shellrc" /dev/null || true
  else
    note "scripts/demo --shell   the same, with a shell in the device at the end"
    note "scripts/demo --nats    the same over a real nats-server"
    note "docs/README.md         how it works, one page a subject"
  fi
}

start_store
[ "$place" = local ] || build_image
start_agent
converge
[ "$place" = local ] || visit
heal_file
[ "$place" = local ] || heal_unit
ask_device
collect
look_further

#!/bin/bash
# A disposable device: systemd as PID 1, the system D-Bus, podman and a network of its own, on a throw-away overlay of
# this machine's root. Nothing it does reaches the machine's files, processes, network or kernel settings.
#
#   device.sh exec [--bind DIR]… [--] COMMAND…
#                                boots a private device, runs COMMAND in it (in the caller's working directory),
#                                passes its exit status on, and leaves nothing behind, however it ends; with
#                                HARMONY_SKIP_DEVICE_TESTS=1 it exits 77 (skipped) where it is not root
#   device.sh boot [--bind DIR]… DIR [ADDRESS]
#                                boots a device whose handle is the folder DIR (new or empty); with ADDRESS
#                                (10.99.0.2 to 10.99.0.254) it joins the bridge of `device.sh net up`
#   device.sh run DIR COMMAND…   runs a command in it; exit status 125: the device is not there
#   device.sh halt DIR           power cut: kills its PID 1 and with it everything inside; removes DIR
#   device.sh net up|down        the bridge, in a network namespace of its own; counted, so several runs may share it
#   device.sh net run COMMAND…   runs a command on the bridge's end (10.99.0.1), e.g. a server for all devices
#   device.sh check              says whether this machine can boot a device
#
# The repository of this script is visible inside at its own path, read-only; --bind makes a folder visible and
# writable. /tmp is the device's own. HARMONY_NET names the bridge (default: harmony-net).
#
# It needs root, overlayfs, cgroup v2 (also where it is mounted beside v1) and namespaces; the machine itself need not
# run systemd. Cgroup limits are enforced only where the machine's controllers are on v2, and containers run without
# cgroups of their own, so a test of a limit asserts what was configured.
set -euo pipefail

self=$(realpath "$0")
repository=$(realpath "$(dirname "$self")/../..")
systemd=/usr/lib/systemd/systemd
bridge=${HARMONY_NET:-harmony-net}
subnet=10.99.0
boot_seconds=60

die() {
  echo "device.sh: $*" >&2
  exit 125
}

# The mount point of cgroup v2, alone or beside v1.
cgroup_root() {
  findmnt --noheadings --raw --types cgroup2 --output TARGET | head -n 1
}

# Says what this machine lacks, or nothing.
check() {
  local tool
  [ "$(id -u)" = 0 ] || die "booting a device needs root; run it again with sudo"
  for tool in unshare nsenter setpriv flock findmnt pivot_root ip; do
    [ -n "$(type -P $tool)" ] || die "the program '$tool' is missing; scripts/setup installs it"
  done
  [ -x $systemd ] || die "'$systemd' is missing; scripts/setup installs it (package systemd)"
  grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null || true
  grep -qw overlay /proc/filesystems || die "this kernel has no overlayfs"
  [ -n "$(cgroup_root)" ] || die "cgroup v2 is not mounted: mount -t cgroup2 none /sys/fs/cgroup/unified"
  unshare --mount --pid --fork --uts --ipc --net --cgroup true 2>/dev/null ||
    die "this machine does not allow new namespaces (a container without privileges?)"
}

# boot_device DIR ADDRESS LIFETIME BIND…: LIFETIME is "own", or "caller": the device ends when this script does,
# even by SIGKILL.
boot_device() {
  local dir=$1 address=$2 lifetime=$3 state='' cg tied=()
  shift 3
  dir=$(realpath "$dir")
  mkfifo -m 600 "$dir/booted"
  mkdir "$dir/mnt"
  cg="$(cgroup_root)/harmony-device-$BASHPID-$RANDOM"
  echo "$cg" >"$dir/cgroup"
  [ "$lifetime" = own ] || tied=(setpriv --pdeathsig KILL)
  (
    exec 8>"$dir/booted" 9>"$dir/running"        # held until the device is gone; `booted` then reads as ended
    flock 9
    mkdir "$cg" && echo $BASHPID >"$cg/cgroup.procs"
    exec setsid "${tied[@]}" unshare --mount --propagation private --pid --fork --kill-child --uts --ipc --net \
      --cgroup "$self" inside "$dir" "$@" </dev/null >"$dir/console.log" 2>&1
  ) &
  read -r -t $boot_seconds state <"$dir/booted" || true
  if [ "$state" != up ]; then
    cat "$dir/console.log" >&2
    [ ! -s "$dir/pid" ] || "$self" run "$dir" journalctl --no-pager --lines 40 >&2 || true
    halt "$dir"
    die "the device did not boot within $boot_seconds s"
  fi
  [ -z "$address" ] || join_bridge "$dir" "$address"
}

# Runs as PID 1 of the new namespaces: builds the root and becomes systemd.
inside() {
  local dir=$1 m=$1/mnt r=$1/mnt/root pid
  shift
  read -r pid _ </proc/self/stat                 # still the machine's /proc, so the machine's number of this process
  mount -t tmpfs -o mode=755,size=4g tmpfs "$m"
  mkdir "$m/upper" "$m/work" "$r"
  mount -t overlay overlay -o "lowerdir=/,upperdir=$m/upper,workdir=$m/work" "$r"
  overlay_other_disks "$m" "$r"
  mount_api_folders "$r"
  local folder
  bind_folder "$r" "$repository"
  mount -o remount,bind,ro "$r$repository"
  for folder in "$@"; do bind_folder "$r" "$folder"; done
  configure "$r"
  touch "$r/run/harmony-booted"
  mount --bind "$dir/booted" "$r/run/harmony-booted"
  ip link set lo up
  echo "$pid" >"$dir/pid"
  mkdir "$r/.old"
  cd "$r"
  pivot_root . .old
  umount -l /.old
  rmdir /.old
  export container=harmony-device
  unset HARMONY_NET NOTIFY_SOCKET
  exec setpriv --bounding-set=-sys_time,-sys_module,-sys_rawio \
    $systemd --system --unit=harmony-device.target --log-level=warning --show-status=false
}

# An overlay shows one file system: folders of the machine that lie on other disks get one each.
overlay_other_disks() {
  local m=$1 r=$2 target n=0
  findmnt --noheadings --raw --types ext2,ext3,ext4,xfs,btrfs,f2fs --output TARGET | sort -u |
    while IFS= read -r target; do
      case $target in /|/proc*|/sys*|/dev*|/run*|/tmp*|/boot*) continue ;; esac
      if ! [ -d "$target" ] || ! [ -d "$r$target" ]; then continue; fi
      n=$((n + 1))
      mkdir "$m/upper$n" "$m/work$n"
      mount -t overlay overlay -o "lowerdir=$target,upperdir=$m/upper$n,workdir=$m/work$n" "$r$target" || true
    done
}

mount_api_folders() {
  local r=$1 n
  mount -t proc proc "$r/proc"
  mount --bind "$r/proc/sys" "$r/proc/sys"       # kernel settings are the machine's; those of the network are not
  mount --bind "$r/proc/sys/net" "$r/proc/sys/net"
  mount -o remount,bind,ro "$r/proc/sys"
  mount -o remount,bind,rw "$r/proc/sys/net"
  if [ -e "$r/proc/sysrq-trigger" ]; then mount --bind /dev/null "$r/proc/sysrq-trigger"; fi
  mount -t sysfs -o ro sysfs "$r/sys"            # read-only: no udev that would trigger the machine's devices
  mount -t cgroup2 cgroup2 "$r/sys/fs/cgroup"
  mount -t tmpfs -o mode=755 tmpfs "$r/run"
  mount -t tmpfs -o mode=1777 tmpfs "$r/tmp"     # without this, systemd's tmpfiles pass empties the machine's /tmp
  mount -t tmpfs -o mode=755 tmpfs "$r/dev"
  for n in null zero full random urandom tty; do
    touch "$r/dev/$n"
    mount --bind "/dev/$n" "$r/dev/$n"
  done
  touch "$r/dev/console"
  mount --bind /dev/null "$r/dev/console"
  mkdir "$r/dev/pts" "$r/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$r/dev/pts"
  mount -t tmpfs -o mode=1777 tmpfs "$r/dev/shm"
  ln -s pts/ptmx "$r/dev/ptmx"
  ln -s /proc/self/fd "$r/dev/fd"
  mkdir -p "$r/var/lib/containers"
  mount -t tmpfs tmpfs "$r/var/lib/containers"   # podman's overlay cannot lie on an overlay
}

bind_folder() {
  mkdir -p "$1$2"
  mount --bind "$2" "$1$2"
}

configure() {
  local r=$1 units=$1/run/systemd/system
  rm -rf "$r"/etc/systemd/system/*.wants "$r"/etc/systemd/system/*.requires # only what a test starts
  mkdir -p "$units" "$r/etc/containers" "$r/etc/tmpfiles.d"
  ln -s /dev/null "$units/console-getty.service" # there is no console
  : >"$r/etc/machine-id"
  : >"$r/etc/fstab"
  echo harmony-device >"$r/etc/hostname"
  echo '127.0.0.1 localhost harmony-device' >"$r/etc/hosts"
  ln -sf /dev/null "$r/etc/tmpfiles.d/tmp.conf"  # folders bound below /tmp are the machine's
  cat >"$r/etc/containers/containers.conf" <<'END'
# For a machine without CAP_SYS_RESOURCE and with cgroup v1 controllers.
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=1000:1000"]
cgroups = "disabled"
[engine]
cgroup_manager = "cgroupfs"
END
  cat >"$units/harmony-device.target" <<'END'
[Unit]
Requires=multi-user.target
Wants=harmony-booted.service
After=multi-user.target
END
  cat >"$units/harmony-booted.service" <<'END'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo up >/run/harmony-booted'
END
}

join_bridge() {
  local dir=$1 address=$2 veth="ha${2##*.}" pid
  pid=$(<"$dir/pid")
  ip -netns "$bridge" link add "$veth" type veth peer name eth0 netns "$pid"
  ip -netns "$bridge" link set "$veth" master br0 up
  "$self" run "$dir" ip addr add "$address/24" dev eth0
  "$self" run "$dir" ip link set eth0 up
}

# The machine's number of the device's PID 1; fails when the device is not running.
pid_of() {
  local pid cg
  pid=$(cat "$1/pid" 2>/dev/null) || return 1
  cg=$(<"$1/cgroup")
  grep -qF "/${cg##*/}" "/proc/$pid/cgroup" 2>/dev/null || return 1 # the number may be another process's by now
  echo "$pid"
}

# run_inside DIR FOLDER COMMAND…: replaces this shell by the command, in the device's folder FOLDER.
run_inside() {
  local pid cg folder=$2
  pid=$(pid_of "$1") || die "there is no running device in '$1'"
  cg=$(<"$1/cgroup")
  shift 2
  mkdir -p "$cg/harmony-run"
  echo $BASHPID >"$cg/harmony-run/cgroup.procs"
  unset TMPDIR XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS DBUS_SYSTEM_BUS_ADDRESS NOTIFY_SOCKET CONTAINER_HOST
  # shellcheck disable=SC2016
  exec nsenter --target "$pid" --root --mount --pid --uts --ipc --net --cgroup -- \
    /bin/sh -c 'cd "$1" || { echo "device.sh: pass --bind \"$1\" to have it in the device" >&2; exit 125; }
                shift; exec "$@"' sh "$folder" "$@"
}

# Kills the device and removes its traces. Idempotent.
halt() {
  local dir=$1 pid cg
  [ -f "$dir/cgroup" ] || return 0
  cg=$(<"$dir/cgroup")
  if pid=$(pid_of "$dir"); then kill -KILL "$pid" 2>/dev/null || true; fi
  [ ! -f "$dir/running" ] || flock --timeout 20 "$dir/running" true || die "the device in '$dir' does not end"
  remove_cgroup "$cg"
  rm -rf --one-file-system "$dir"
}

# A process that was let in from outside (nsenter) ends a moment after those inside.
remove_cgroup() {
  local i
  for i in $(seq 500); do
    [ -d "$1" ] || return 0
    find "$1" -depth -type d -exec rmdir {} + 2>/dev/null && return 0
    sleep 0.01
  done
  die "the control group '$1' stays busy ($i tries)"
}

exec_in_private_device() {
  local binds=() dir status=0 child='' ended=''
  while [ $# -gt 0 ]; do
    case $1 in
      --bind) binds+=("$(realpath "$2")"); shift 2 ;;
      --) shift; break ;;
      *) break ;;
    esac
  done
  [ $# -gt 0 ] || usage
  if [ "$(id -u)" != 0 ] && [ "${HARMONY_SKIP_DEVICE_TESTS:-}" = 1 ]; then
    echo "device.sh: not root, and HARMONY_SKIP_DEVICE_TESTS=1: skipped" >&2
    exit 77
  fi
  check
  dir=$(mktemp -d "${TMPDIR:-/tmp}/harmony-device.XXXXXX")
  # Should this process be killed without a chance to clean up, the device ends with it, and this one removes the rest.
  exec 7>"$dir/alive"
  flock 7
  (setsid "$self" sweep "$dir" 7>&- </dev/null >/dev/null 2>&1 &)
  # shellcheck disable=SC2064
  trap "halt '$dir'" EXIT
  trap 'ended=130; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null || true' INT
  trap 'ended=143; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null || true' TERM HUP
  boot_device "$dir" "" caller "${binds[@]}" 7>&-
  [ -z "$ended" ] || exit "$ended"
  HARMONY_DEVICE_FOLDER=$PWD "$self" run "$dir" "$@" <&0 7>&- &
  child=$!
  wait "$child" || status=$?
  [ -z "$ended" ] || exit "$ended"
  if [ "$status" -ge 128 ] || [ "${HARMONY_DEVICE_JOURNAL:-}" = 1 ]; then
    echo "device.sh: '$1' ended with status $status; the device's journal ends with:" >&2
    "$self" run "$dir" journalctl --no-pager --lines 60 >&2 || true
  fi
  exit "$status"
}

# sweep DIR: waits until the process that holds DIR/alive is gone, then removes what it left.
sweep() {
  flock "$1/alive" true 2>/dev/null || true
  [ ! -d "$1" ] || halt "$1" || true
  [ ! -d "$1" ] || rm -rf --one-file-system "$1"
}

net() {
  local users=/run/$bridge.users count
  check
  exec 6>>"$users"
  flock 6
  count=$(cat "$users")
  case $1 in
    up)
      if [ "${count:-0}" = 0 ]; then
        ip netns add "$bridge"
        ip -netns "$bridge" link add br0 type bridge
        ip -netns "$bridge" addr add $subnet.1/24 dev br0
        ip -netns "$bridge" link set br0 up
        ip -netns "$bridge" link set lo up
      fi
      echo $((${count:-0} + 1)) >"$users"
      ;;
    down)
      [ "${count:-0}" != 0 ] || { rm -f "$users"; die "the bridge '$bridge' is not up"; }
      echo $((count - 1)) >"$users"
      if [ "$count" = 1 ]; then
        ip netns del "$bridge"
        rm -f "$users"
      fi
      ;;
  esac
}

usage() {
  sed -n '5,19s/^# \{0,2\}//p' "$self" >&2
  exit 2
}

case ${1:-} in
  exec) shift; exec_in_private_device "$@" ;;
  boot)
    shift
    binds=()
    while [ "${1:-}" = --bind ]; do binds+=("$(realpath "$2")"); shift 2; done
    [ $# -ge 1 ] || usage
    check
    mkdir -p "$1"
    [ -z "$(ls -A "$1")" ] || die "'$1' is not empty"
    boot_device "$1" "${2:-}" own "${binds[@]}"
    ;;
  inside) shift; inside "$@" ;;
  run)
    [ $# -ge 3 ] || usage
    run_inside "$(realpath "$2")" "${HARMONY_DEVICE_FOLDER:-/}" "${@:3}"
    ;;
  halt)
    [ $# = 2 ] || usage
    [ -f "$2/cgroup" ] || die "'$2' is not a device"
    halt "$(realpath "$2")"
    ;;
  sweep) sweep "$2" ;;
  net)
    case ${2:-} in
      up | down) net "$2" ;;
      run) exec ip netns exec "$bridge" "${@:3}" ;;
      *) usage ;;
    esac
    ;;
  check) check ;;
  *) usage ;;
esac

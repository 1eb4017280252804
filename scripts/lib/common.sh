# What the scripts share. To be sourced: it moves to the top of the repository.
# shellcheck shell=bash disable=SC2034
set -euo pipefail
script=$(realpath "$0")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
repository=$PWD
started=$SECONDS

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi

say() { printf '%s\n' "$bold== $*$plain"; }
note() { printf '%s\n' "$dim   $*$plain"; }
die() {
  printf '%s\n' "${script##*/}: $*" >&2
  exit 1
}
# The comment at the head of the script, then the end: status 0 when it was asked for, 2 (usage) otherwise.
help() {
  sed -n '/^# shellcheck/d; 2,/^[^#]/s/^# \{0,1\}//p' "$script"
  case ${1:-} in --help | -h) exit 0 ;; *) exit 2 ;; esac
}
is_root() { [ "$(id -u)" = 0 ]; }

# How many compilers fit: one a core, and 1.5 GB of memory for each.
compilers() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/^MemAvailable/ { print int($2 / 1500000) }' /proc/meminfo)
  [ "$memory" -ge 1 ] || memory=1
  echo $((cores < memory ? cores : memory))
}

# Where root works in somebody's repository (sudo), what it built stays theirs.
give_back() {
  local owner
  owner=$(stat --format %u "$repository")
  if is_root && [ "$owner" != 0 ] && [ -d build ]; then chown --recursive --from=0 "$owner" build; fi
}
trap give_back EXIT

# Every Debian package that this project uses, and why: `name | reason`. Names are those of Debian 12 and 13; where they
# differ, the first that the machine's archive has is taken (`a/b`). To be sourced.
# shellcheck shell=bash disable=SC2034

# A device that runs an agent: what the installed programs talk to.
runtime_packages='
systemd           | the service manager that SystemdUnit resources go to
dbus              | the bus on which systemd is spoken to
podman            | runs Container resources
iptables          | published ports of containers
libnl-route-3-200 | Network resources: links, addresses and routes by rtnetlink
libpq5            | members of PostgreSQL clusters: sessions with their server
ca-certificates   | downloads over https (File resources with a source)
'

# To build and test: scripts/build, scripts/test, scripts/demo.
build_packages='
g++               | compiler (C++20)
cmake             | build system (3.25 or newer)
ninja-build       | build tool
ccache            | rebuilds in seconds
pkg-config/pkgconf | finds libraries
libcaf-dev        | actors
libnats-dev       | NATS client
libsdbus-c++-dev  | D-Bus client
libsystemd-dev    | sd_notify: readiness and watchdog
libspdlog-dev     | logging
nlohmann-json3-dev | JSON
libyaml-cpp-dev   | YAML in harmonyctl
libcli11-dev      | command lines
libtomlplusplus-dev | the configuration file
libnl-route-3-dev | links, addresses and routes by rtnetlink
libcpp-httplib-dev | HTTP to podman and for downloads
libsodium-dev     | hashes and signatures
libssl-dev        | what certificates say
libsqlitecpp-dev  | state on the device
libsqlite3-dev    | state on the device
libvalijson-dev   | tests: documents against the JSON Schemas
catch2            | tests: framework
nats-server       | tests and demo: the real server
postgresql        | tests: the real server that the guard owns
libpq-dev         | declarations of what speaks with PostgreSQL; tests: sessions with it
docker-registry   | tests: images are pulled from a local registry
busybox-static    | tests and demo: the one binary of their images
iproute2          | tests: networks of disposable devices
procps            | tests: processes
util-linux        | tests: namespaces
jq                | demo: reads documents
curl              | demo: asks the service that it started
uidmap            | tests: containers of a user
libfaketime       | tests: clocks that are wrong
'

# For scripts/check.
check_packages='
clang-format-14/clang-format | format; version 14 decides
clang-tidy-14/clang-tidy | lint
python3           | runs the linter over what changed
shellcheck        | lint of shell scripts
valgrind          | leaks of the running agent
'

# For scripts/coverage.
coverage_packages='
gcovr             | turns counters into a report
'

# For scripts/fuzz.
fuzz_packages='
clang             | compiler of the fuzzers
libclang-rt-14-dev/libclang-rt-dev | libFuzzer and the sanitizers of clang
'

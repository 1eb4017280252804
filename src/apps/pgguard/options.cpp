#include "apps/pgguard/options.hpp"

#include <cstdlib>
#include <string_view>

namespace harmony::guard {

namespace {

constexpr const char* usage =
  R"(Guards a PostgreSQL instance: owns its processes and kills them at the deadline of its lease.

Usage: harmony-pgguard --data-dir DIR --socket PATH [--bin-dir DIR] [-- ARGUMENT OF postgres…]

  --data-dir DIR   data directory; PostgreSQL runs as its owner      (HARMONY_PGGUARD_DATA_DIR)
  --socket PATH    where the agent commands it                       (HARMONY_PGGUARD_SOCKET)
  --bin-dir DIR    where 'postgres' is; default: Debian's folder of
                   the data directory's version                      (HARMONY_PGGUARD_BIN_DIR)
  --help, --version

See harmony-pgguard(8).
)";

early_exit wrong(const std::string& why) {
  return {2, "harmony-pgguard: " + why + "\nTry 'harmony-pgguard --help'.\n"};
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string{value};
}

} // namespace

std::variant<options, early_exit> read_options(int argc, const char* const* argv) {
  options o;
  o.which.data_dir = variable("HARMONY_PGGUARD_DATA_DIR");
  o.which.bin_dir = variable("HARMONY_PGGUARD_BIN_DIR");
  o.socket = variable("HARMONY_PGGUARD_SOCKET");
  for (int i = 1; i < argc; ++i) {
    const std::string_view word{argv[i]};
    if (word == "--help" || word == "-h")
      return early_exit{0, usage};
    if (word == "--version")
      return early_exit{0, "harmony-pgguard " HARMONY_VERSION "\n"};
    if (word == "--") {
      o.which.options.assign(argv + i + 1, argv + argc);
      break;
    }
    auto* value = word == "--data-dir"  ? &o.which.data_dir
                  : word == "--bin-dir" ? &o.which.bin_dir
                  : word == "--socket"  ? &o.socket
                                        : nullptr;
    if (value == nullptr)
      return wrong("there is no option '" + std::string{word} + "'");
    if (++i == argc)
      return wrong("the option '" + std::string{word} + "' needs a value");
    *value = argv[i];
  }
  if (o.which.data_dir.empty() || o.which.data_dir.front() != '/')
    return wrong("--data-dir must be an absolute path, not '" + o.which.data_dir + "'");
  if (o.socket.empty() || o.socket.front() != '/')
    return wrong("--socket must be an absolute path, not '" + o.socket + "'");
  return o;
}

} // namespace harmony::guard

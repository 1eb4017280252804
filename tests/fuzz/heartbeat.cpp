#include "fuzz.hpp"
#include "model/status.hpp"

namespace harmony::fuzz {

void take(std::string_view bytes) {
  const auto read = read_heartbeat(bytes);
  if (!read)
    return;
  const auto written = write_heartbeat(*read);
  require(written.size() <= 95, "a heartbeat has at most 95 bytes");
  const auto again = read_heartbeat(written);
  require(again && *again == *read, "a heartbeat survives writing and reading");
}

} // namespace harmony::fuzz

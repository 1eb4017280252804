#include "model/status.hpp"
#include "fuzz.hpp"

namespace harmony::fuzz {

void take(std::string_view bytes) {
  const auto read = read_status(bytes);
  if (!read)
    return;
  const auto again = read_status(write_status(*read));
  require(again && *again == *read, "a status survives writing and reading");
}

} // namespace harmony::fuzz

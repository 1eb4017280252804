#include "transport/directory_entry.hpp"
#include "fuzz.hpp"

namespace harmony::fuzz {

void take(std::string_view bytes) {
  const auto read = directory::read_entry(bytes, "file");
  if (!read)
    return;
  const auto again = directory::read_entry(directory::header_of(*read) + read->value, "file");
  require(again && again->revision == read->revision && again->written == read->written
            && again->deleted == read->deleted && again->value == read->value,
          "an entry survives writing and reading");
}

} // namespace harmony::fuzz

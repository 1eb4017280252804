#include "fuzz.hpp"
#include "guard/message.hpp"

namespace harmony::fuzz {

void take(std::string_view bytes) {
  if (const auto r = guard::read_request(bytes))
    require(guard::write_request(*r) == bytes, "a request is written in one way");
  if (const auto r = guard::read_report(bytes)) {
    const auto text = guard::write_report(*r);
    require(text.size() <= guard::longest_message, "a report is as long as it may be");
    const auto again = guard::read_report(text);
    require(again.has_value(), "a report is read back");
    require(text.size() == guard::longest_message || *again == *r,
            "a report survives writing and reading");
  }
}

} // namespace harmony::fuzz

// A log as podman streams it, cut into pieces anywhere.

#include "topology/podman_logs.hpp"
#include "fuzz.hpp"

namespace harmony::fuzz {

void take(std::string_view bytes) {
  const auto piece = bytes.empty() ? std::size_t{1} : 1 + static_cast<unsigned char>(bytes.front());
  bytes.remove_prefix(bytes.empty() ? 0 : 1);
  const auto cursor = std::string{bytes.substr(0, bytes.find('\n'))};
  bytes.remove_prefix(std::min(cursor.size() + 1, bytes.size()));

  podman::log_reader whole{cursor};
  podman::log_reader parts{cursor};
  const bool more = whole.take(bytes);
  for (auto left = bytes; !left.empty(); left.remove_prefix(std::min(piece, left.size())))
    if (!parts.take(left.substr(0, piece)))
      break;
  const auto expected = std::move(whole).result();
  if (more)
    require(std::move(parts).result() == expected, "pieces of any size give the same lines");
  for (const auto& line : expected.lines)
    require(line.text.size() <= max_log_line, "a line is as long as it may be");
  const podman::log_reader next{expected.cursor};
}

} // namespace harmony::fuzz

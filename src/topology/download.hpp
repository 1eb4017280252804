#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "model/outcome.hpp"
#include "topology/files.hpp"

namespace harmony {

struct download_options {
  std::uint64_t max_bytes = 1ULL << 30;
  unsigned max_redirects = 5;
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds idle_timeout{30'000}; ///< without a byte from the server
};

/// Takes the next piece of the content. A failure ends the download, which then fails with it.
using content_sink = std::function<outcome<void>(std::string_view piece)>;

/// Reads `url` (http or https, certificates checked against the system's) and hands its content to
/// `sink` as it comes; what is in memory at a time is one piece of some KiB. Follows redirects.
/// Fails with download_failed, and with canceled or timed_out soon after `limits` say so; only the
/// look-up of a host name and the making of a connection (at most connect_timeout) end on their
/// own.
outcome<void> download(const std::string& url, const content_sink& sink, const op_limits& limits,
                       const download_options& options = {});

} // namespace harmony

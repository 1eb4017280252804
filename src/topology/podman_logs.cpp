#include "topology/podman_logs.hpp"

#include <algorithm>
#include <charconv>

#include "model/manifest.hpp"
#include "topology/podman_codec.hpp"

namespace harmony::podman {

namespace {

constexpr std::size_t header_bytes = 8;

/// Of a frame: stream (0..2), three zeros, size as 32 bits big-endian.
std::size_t frame_size(std::string_view header) {
  std::size_t size = 0;
  for (std::size_t i = 4; i < header_bytes; ++i)
    size = (size << 8U) | static_cast<unsigned char>(header[i]);
  return size;
}

} // namespace

log_reader::log_reader(const std::string& cursor) {
  result_.cursor = cursor;
  const auto slash = cursor.find('/');
  if (slash == std::string::npos)
    return;
  since_ = cursor.substr(0, slash);
  std::from_chars(cursor.data() + slash + 1, cursor.data() + cursor.size(), to_skip_);
}

bool log_reader::take(std::string_view bytes) {
  frames_ += bytes;
  std::string_view left = frames_;
  while (left.size() >= header_bytes) {
    const auto size = frame_size(left);
    if (left.size() < header_bytes + size)
      break;
    auto text = left.substr(header_bytes, size);
    left.remove_prefix(header_bytes + size);
    while (!text.empty()) {
      const auto end = std::min(text.find('\n'), text.size());
      take_line(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }
  frames_.erase(0, frames_.size() - left.size());
  return bytes_ < max_log_answer && frames_.size() < 2 * max_log_answer;
}

// "2026-11-23T10:17:19.86291029+01:00 text"
void log_reader::take_line(std::string_view line) {
  const auto space = line.find(' ');
  const auto stamp = line.substr(0, space);
  const auto at = parse_time(utc_time(stamp));
  if (!at || bytes_ >= max_log_answer)
    return;
  count_ = stamp == at_ ? count_ + 1 : 1;
  at_ = stamp;
  if (at_ == since_ && count_ <= to_skip_)
    return;
  const auto text = space == std::string_view::npos ? "" : line.substr(space + 1);
  result_.lines.push_back({*at, std::string{text.substr(0, max_log_line)}});
  bytes_ += result_.lines.back().text.size();
  result_.cursor = at_ + "/" + std::to_string(count_);
}

logs_result log_reader::result() && {
  return std::move(result_);
}

} // namespace harmony::podman

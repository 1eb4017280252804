#pragma once

// How podman's answers are read; for the codec's sources only. Nothing here throws.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace harmony::podman {

using nlohmann::json;

inline json parse(std::string_view text) {
  return json::parse(text.begin(), text.end(), nullptr, false);
}

// An absent member and one of another type read as null.
inline const json& member(const json& object, const char* key) {
  static const json null;
  if (!object.is_object())
    return null;
  const auto found = object.find(key);
  return found == object.end() ? null : *found;
}

inline std::string text_of(const json& value) {
  const auto* text = value.get_ptr<const std::string*>();
  return text != nullptr ? *text : std::string{};
}

inline std::int64_t number_of(const json& value) {
  return value.is_number_integer() ? value.get<std::int64_t>() : 0;
}

inline bool flag_of(const json& value) {
  return value.is_boolean() && value.get<bool>();
}

/// Takes the first frame off `frames`: stream (0..2), three zeros, size as 32 bits big-endian, then
/// that many bytes, fewer where it is cut off. Gives the bytes; nothing where there is no frame.
inline std::optional<std::string_view> next_frame(std::string_view& frames) {
  if (frames.size() < 8 || frames[0] > 2)
    return std::nullopt;
  std::size_t size = 0;
  for (std::size_t i = 4; i < 8; ++i)
    size = (size << 8U) | static_cast<unsigned char>(frames[i]);
  frames.remove_prefix(8);
  const auto part = frames.substr(0, size);
  frames.remove_prefix(part.size());
  return part;
}

} // namespace harmony::podman

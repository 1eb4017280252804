#include "fuzz.hpp"
#include "topology/systemd.hpp"

namespace harmony::fuzz {

namespace {

/// systemd's bus_label_unescape.
std::string unescaped(std::string_view label) {
  std::string text;
  for (std::size_t i = 0; i < label.size(); ++i) {
    if (label[i] == '_') {
      text += static_cast<char>(std::stoi(std::string{label.substr(i + 1, 2)}, nullptr, 16));
      i += 2;
    } else {
      text += label[i];
    }
  }
  return text;
}

} // namespace

void take(std::string_view bytes) {
  const auto path = unit_object_path(bytes);
  const auto label = std::string_view{path}.substr(path.rfind('/') + 1);
  require(label.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
            == std::string_view::npos,
          "an object path has only the characters that D-Bus allows");
  require(unescaped(label) == bytes, "systemd reads the same name out of an object path");
  if (is_unit_name(bytes))
    require(bytes.size() < 256 && bytes.find('/') == std::string_view::npos && bytes.front() != '.',
            "a unit name is a safe file name");
}

} // namespace harmony::fuzz

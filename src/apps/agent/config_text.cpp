#include "apps/agent/config_text.hpp"

#include "posix/small_file.hpp"

namespace harmony {

outcome<std::string> read_config_text(const std::string& path) {
  const auto text = read_small_file(path, {file_keeping::guarded});
  return text ? outcome<std::string>{std::string{text->reveal()}} : text.error();
}

} // namespace harmony

#include "reconcilers/marked_file.hpp"

namespace harmony {

std::string unit_marker(std::string_view agent, const resource_id& id) {
  return "# Managed by harmony-agent: agent=" + std::string{agent} + " resource=" + id.str() + "\n";
}

std::optional<resource_id> marked_resource(const std::string& content, std::string_view agent,
                                           std::string_view kind) {
  constexpr std::string_view key = " resource=";
  const auto line = content.substr(0, content.find('\n') + 1);
  const auto at = line.rfind(key);
  resource_id id;
  if (at == std::string::npos
      || !parse_resource_id(line.substr(at + key.size(), line.size() - at - key.size() - 1), id)
      || line != unit_marker(agent, id) || id.kind != kind)
    return {};
  return id;
}

unit_file_owner owner_of(const unit_file& file, const std::string& marker) {
  switch (file.what) {
  case unit_file::kind::absent: return unit_file_owner::none;
  case unit_file::kind::masked: return unit_file_owner::masked;
  case unit_file::kind::other: return unit_file_owner::foreign;
  case unit_file::kind::regular: break;
  }
  const bool marked = file.content.compare(0, marker.size(), marker) == 0;
  return marked ? unit_file_owner::ours : unit_file_owner::foreign;
}

} // namespace harmony

// What the inventory remembers of a container.
#include <nlohmann/json.hpp>

#include "reconcilers/container.hpp"

namespace harmony {

std::string write_note(const container_note& note) {
  const nlohmann::json text{{"revision", note.revision},
                            {"restartStamp", note.restart_stamp},
                            {"restarts", note.restarts},
                            {"restarting", note.restarting}};
  return text.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

container_note read_note(const std::string& text) {
  const auto top = nlohmann::json::parse(text, nullptr, false);
  container_note note;
  if (!top.is_object())
    return note;
  const auto string_at = [&](const char* key) {
    const auto found = top.find(key);
    return found != top.end() && found->is_string() ? found->get<std::string>() : std::string{};
  };
  note.revision = string_at("revision");
  note.restart_stamp = string_at("restartStamp");
  if (const auto at = top.find("restarts"); at != top.end() && at->is_number_unsigned())
    note.restarts = at->get<std::uint32_t>();
  if (const auto at = top.find("restarting"); at != top.end() && at->is_boolean())
    note.restarting = at->get<bool>();
  return note;
}

} // namespace harmony

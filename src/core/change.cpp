#include "core/change.hpp"

namespace harmony {

std::string_view name_of(action a) noexcept {
  switch (a) {
  case action::create: return "create";
  case action::update: return "update";
  case action::replace: return "replace";
  case action::remove: return "remove";
  case action::restart: return "restart";
  }
  return "update";
}

std::string describe(const std::vector<change>& changes) {
  std::string text;
  for (const auto& c : changes) {
    if (!text.empty())
      text += ", ";
    text += c.field;
    if (!c.from.empty() || !c.to.empty())
      text +=
        " (" + (c.from.empty() ? "none" : c.from) + " -> " + (c.to.empty() ? "none" : c.to) + ")";
  }
  return text;
}

} // namespace harmony

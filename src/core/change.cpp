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

} // namespace harmony

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace harmony {

/// What must be done for one field of a resource. A plan is a list of them; an empty one means that
/// the observed state equals the desired one.
enum class action {
  create,  ///< the thing is not there
  update,  ///< changed in place
  replace, ///< removed and created anew
  remove,  ///< goes away
  restart, ///< the same thing, run again
};

std::string_view name_of(action a) noexcept;

struct change {
  action what = action::update;
  std::string field; ///< the spec's own name of it, e.g. "mode"
  std::string from;  ///< as observed, for a person; may be empty
  std::string to;    ///< as desired

  friend bool operator==(const change&, const change&) = default;
};

/// The field of a restart that no difference asks for: probes or a person do.
inline constexpr std::string_view restart_field = "restart";

/// The changes for a person: "mode (0600 -> 0644), owner (root -> web)".
std::string describe(const std::vector<change>& changes);

} // namespace harmony

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace harmony {

/// One assignment of a unit file.
struct unit_assignment {
  std::string section; ///< "Service"
  std::string key;     ///< "User"
  std::string value;   ///< without white space around it

  friend bool operator==(const unit_assignment&, const unit_assignment&) = default;
};

/// The assignments of a unit file, in order, as systemd's config_parse() reads them: a line that
/// ends in a backslash goes on in the next, which no comment interrupts and an empty line ends, and
/// CR and NUL end a line too. A policy that read them otherwise could be deceived. Total: what is
/// no assignment is left out, as systemd does.
std::vector<unit_assignment> read_unit_text(std::string_view text);

} // namespace harmony

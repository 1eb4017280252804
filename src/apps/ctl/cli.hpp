#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "apps/ctl/options.hpp"

namespace harmony::ctl {

/// The command line asked for text only (--help), or was wrong.
struct parse_ended {
  bool wrong = false;
  std::string text; ///< the help, or what is wrong and what to do
};

using parsing = std::variant<options, parse_ended>;

/// Reads the command line. `variable` gives environment variables, for defaults.
parsing parse_arguments(const std::vector<std::string>& arguments,
                        const std::function<std::string(const char*)>& variable);

/// One option or command, as completion, help and the manual need it.
struct flag_model {
  std::vector<std::string> names; ///< "--output", "-o"
  std::string help;
  bool takes_value = false;
};

struct command_model {
  std::string name; ///< empty: the program itself
  std::string help;
  std::vector<flag_model> flags;
  std::vector<command_model> commands;

  [[nodiscard]] const command_model* find(std::string_view command) const;
};

/// The command line as it is declared; hidden commands left out.
command_model command_line();

} // namespace harmony::ctl

#pragma once

#include "model/outcome.hpp"

namespace harmony::ctl {

/// How harmonyctl ends. Scripts rely on the numbers: they never change.
enum class exit_code {
  ok = 0,
  failure = 1,          ///< anything without a number of its own
  usage = 2,            ///< the command line is wrong
  not_found = 3,        ///< no such agent, resource or manifest
  conflict = 4,         ///< somebody else wrote at the same time
  timeout = 5,          ///< what was waited for did not happen in time
  invalid_document = 6, ///< a manifest is not valid
};

exit_code exit_code_of(ec code) noexcept;

} // namespace harmony::ctl

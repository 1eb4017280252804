#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "topology/systemd.hpp"

namespace harmony {

/// The failure of a job of `unit` that ended with `result` (not "done"; empty: it had not ended
/// when the limit came), with how the unit's last run ended.
failure explain_job(systemd_port& manager, unit_job what, const std::string& unit,
                    std::string_view result, const wait_limit& limit);

/// Nothing when `unit`, just started, runs or is about to, or cannot be looked at; otherwise
/// unit_failed, saying why not.
std::optional<failure> explain_state(systemd_port& manager, const std::string& unit,
                                     const wait_limit& limit);

/// "exit-code 203/EXEC", "signal 9/KILL", "timeout": how a run ended, in systemd's words.
std::string text_of(const unit_result& r);

} // namespace harmony

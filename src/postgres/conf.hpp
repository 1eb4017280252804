#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace harmony::postgres {

// Texts of PostgreSQL's configuration files.

/// `name = 'value'` and the end of the line, whatever the value has.
std::string write_setting(std::string_view name, std::string_view value);
/// The value of the last setting of that name, without regard to upper and lower case; nothing
/// where there is none.
std::optional<std::string> setting_of(std::string_view text, std::string_view name);
/// The text without the settings of these names (in lower case).
std::string without_settings(std::string_view text, const std::set<std::string>& names);
/// The text with `include 'file'` as its last line, and only there: nothing comes behind it.
std::string with_include(std::string_view text, std::string_view file);

std::string lower(std::string_view text);

} // namespace harmony::postgres

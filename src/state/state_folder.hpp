#pragma once

#include <string>

#include "model/outcome.hpp"

/// What the state store does to its folder and files, apart from the database's content.
namespace harmony {

/// Makes `folder` with its parents, itself with mode 0700. An existing one keeps its mode, and
/// `open_to_others` says whether others could look in: it may be a folder that is not for the agent
/// alone.
outcome<void> make_folder(const std::string& folder, bool& open_to_others);

/// SQLite gives its side files the mode of the database, so that is made first.
outcome<void> make_private(const std::string& file);

/// Moves a database that cannot be used out of the way, its write-ahead log with it.
outcome<std::string> set_aside(const std::string& file);

} // namespace harmony

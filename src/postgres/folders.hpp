#pragma once

#include <cstdint>
#include <string>

#include "model/outcome.hpp"
#include "postgres/owner.hpp"

namespace harmony::postgres {

// Folders beside a data directory. What lies in one is touched with its owner's rights alone; the
// folder around it with these too where it is his, else with this process's.

/// An empty folder of mode 0700 in place of whatever was left there.
outcome<> make_folder(const std::string& path, const owner& who);
/// A folder of mode 0700 where there is nothing yet; what is there stays as it is.
outcome<> ensure_folder(const std::string& path, const owner& who);
/// With all that is in it; nothing happens where there is none.
outcome<> remove_folder(const std::string& path, const owner& who);

/// Where data come to be before they take the place of what is in `data_dir`.
std::string fresh_beside(const std::string& data_dir);

/// `fresh` comes to be `data_dir`. Fails where that is there and not empty.
outcome<> take_place(const std::string& data_dir, const std::string& fresh, const owner& who);
/// What `data_dir` holds is set aside as `data_dir`.old-TIME, and `fresh` takes its place; what was
/// set aside before goes then. Fails with what was there still there.
outcome<> exchange(const std::string& data_dir, const std::string& fresh, const owner& who);
/// An exchange that was broken off leaves no `data_dir`: what it set aside, the newest, comes back.
/// For where `data_dir` is missing; false where nothing is set aside.
outcome<bool> restore_set_aside(const std::string& data_dir, const owner& who);
/// Removes what was set aside before, but for `kept`.
outcome<> remove_set_aside(const std::string& data_dir, const owner& who,
                           const std::string& kept = {});

/// Bytes that can yet be written around `path`.
outcome<std::uint64_t> free_around(const std::string& path);
/// "1.5 GiB".
std::string size_text(std::uint64_t bytes);

} // namespace harmony::postgres

#pragma once

// What apt-get, apt-cache and dpkg say, made sense of. All of it is said in the C locale.

#include <string>
#include <string_view>
#include <vector>

#include "model/outcome.hpp"

namespace harmony {

/// The versions of `package` in the repositories' lists, after the output of `apt-cache madison`.
/// apt takes names that it does not know for patterns, so lines of other packages are left out.
std::vector<std::string> listed_versions(std::string_view output, std::string_view package);

/// The line that says that another program holds apt's or dpkg's lock; empty: none does.
std::string lock_holder(std::string_view output);

/// The failure that the output of apt-get or dpkg tells: what it says of the reason, on one line of
/// at most about 600 bytes, after `doing` ("installing 'curl'").
failure apt_failure(std::string_view output, const std::string& doing);

} // namespace harmony

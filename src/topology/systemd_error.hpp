#pragma once

#include <string>

#include "model/outcome.hpp"
#include "topology/systemd_link.hpp"

namespace harmony {

/// What an error reply of the service manager or the bus means.
ec code_of(const bus_error& e);

/// The failure of `what` ("cannot start unit 'web.service'") by an error reply, with a remedy where
/// there is one.
failure from_bus(const std::string& what, const bus_error& e);

} // namespace harmony

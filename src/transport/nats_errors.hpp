#pragma once

#include <nats/nats.h>
#include <string>

#include "model/outcome.hpp"

namespace harmony::nats {

/// The failure for what a call of the library gave. `what` begins the message: "write 'x'".
failure from_status(natsStatus status, jsErrCode error, const std::string& what);

/// Whether `status` says that the connection went while the call was under way.
bool lost_connection(natsStatus status) noexcept;

/// The quoted subject of "Permissions Violation for Publish to "x"", lower or upper case; empty for
/// any other text.
std::string denied_subject(const std::string& text);

} // namespace harmony::nats

#pragma once

#include <nats/nats.h>
#include <string>

#include "model/outcome.hpp"

namespace harmony::nats {

/// The failure for what a call of the library gave. `what` begins the message: "write 'x'".
failure from_status(natsStatus status, jsErrCode error, const std::string& what);

/// `why` with what a failed connection over TLS may be about: the client's certificate (its file;
/// empty: none). Over TLS 1.3 a client is done with its handshake before the server has looked at
/// that; what comes of a refusal is a connection that ends before its first answer, and the library
/// says no more.
failure with_certificate(failure why, natsStatus status, const std::string& certificate);

/// Whether `status` says that the connection went while the call was under way.
bool lost_connection(natsStatus status) noexcept;

/// The quoted subject of "Permissions Violation for Publish to "x"", lower or upper case; empty for
/// any other text.
std::string denied_subject(const std::string& text);

} // namespace harmony::nats

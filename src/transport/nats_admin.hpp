#pragma once

#include <chrono>
#include <string>

#include "model/outcome.hpp"
#include "transport/store.hpp"

namespace harmony::nats {

/// Connects as `to` says, sends one request and gives its answer: for what operators ask of the
/// server itself. Fails with invalid_spec for what is no URL of NATS, and as a store's calls do.
outcome<std::string> request_once(const store_options& to, const std::string& subject,
                                  const std::string& payload, std::chrono::milliseconds timeout);

} // namespace harmony::nats

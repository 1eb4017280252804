#pragma once

#include <cstdint>
#include <functional>

#include "core/audit_chain.hpp"
#include "model/outcome.hpp"

namespace harmony {

/// How the trail fares.
struct audit_health {
  outcome<void> writing;     ///< of the last attempt
  std::uint64_t waiting = 0; ///< events that could not be written yet
  std::uint64_t lost = 0;    ///< since the start: there was no room to keep them
};

/// Where what was done at somebody's word is kept. Thread-safe.
class audit_trail {
public:
  virtual ~audit_trail() = default;

  /// Keeps `e`, soon. Never blocks and never fails: what cannot be written waits, and what there is
  /// no room for is counted and told of in the trail itself.
  virtual void note(audit_event e) = 0;

  /// The same, and returns when it is durable: for what must not happen unrecorded. Fails as a
  /// write to a file does; then the event is not kept.
  virtual outcome<void> append(const audit_event& e) = 0;

  /// Calls `sink` from a thread of its own when writes begin to fail, when events are lost, and
  /// when writes succeed again. It must not block. At most one.
  virtual void watch_health(const std::function<void(const audit_health&)>& /*sink*/) {}
};

} // namespace harmony

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/ids.hpp"
#include "model/outcome.hpp"

namespace harmony {

/// Something that was done on the device, or refused, at somebody's word.
struct audit_event {
  std::string_view event; ///< "job-started", "job-ended", "guard-started", …
  resource_id resource;
  std::string revision;
  std::string origin; ///< the class, rollout or person it came from; empty: not known
  std::vector<std::string> command;
  std::string result; ///< of an end or a refusal, for a person
};

/// Where such events are kept. Thread-safe; calls block until durable.
class audit_trail {
public:
  virtual ~audit_trail() = default;

  /// Fails as a write to a file does; then the event is not kept.
  virtual outcome<void> append(const audit_event& e) = 0;
};

} // namespace harmony

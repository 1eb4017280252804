#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "model/status.hpp"

namespace harmony {

/// Keeps in the state folder why this device is not connected to the store, for somebody who stands
/// before it: `harmony-agent status`. There is no such file while it is connected.
class connection_note {
public:
  connection_note(std::string state_dir, std::function<timestamp()> clock)
    : state_dir_(std::move(state_dir)), clock_(std::move(clock)) {}

  /// The first reason of an outage is kept to its end: that the device was turned out is said but
  /// once, and each later attempt is only refused.
  void changed(bool connected, const std::string& detail);

private:
  struct outage {
    timestamp since;
    std::string first;
  };
  std::string state_dir_;
  std::function<timestamp()> clock_;
  std::optional<outage> outage_;
};

/// What the note says; empty: connected, or nothing is known.
std::string read_connection_note(const std::string& state_dir);

} // namespace harmony

#pragma once

#include <optional>
#include <vector>

#include "core/time.hpp"

namespace harmony {

/// When an actor wants to be woken. A delayed message cannot be taken back, and lies in memory
/// until it is due: an actor that sent one each time that it changed its mind would collect
/// thousands. So one is sent only where none that is under way comes in time; one that comes too
/// early finds what is wanted by then.
///
/// Those under way are due ever earlier, the latest sent first: they are few, however often the
/// time is set.
class alarm {
public:
  /// Wanted at `at`, and not when it was before. Gives when a message has to come, if one must be
  /// sent.
  std::optional<instant> set(instant at) {
    wanted_ = at;
    return missing();
  }

  /// No longer wanted.
  void cancel() { wanted_.reset(); }

  struct ring {
    bool due = false;            ///< it is time; nothing is wanted any more
    std::optional<instant> send; ///< when another message has to come, if one must be sent

    friend bool operator==(const ring&, const ring&) = default;
  };

  /// A message came.
  ring rang(instant now) {
    while (!under_way_.empty() && under_way_.back() <= now)
      under_way_.pop_back();
    if (!wanted_ || *wanted_ > now)
      return {false, missing()};
    wanted_.reset();
    return {true, {}};
  }

private:
  std::optional<instant> missing() {
    if (!wanted_ || (!under_way_.empty() && under_way_.back() <= *wanted_))
      return {};
    under_way_.push_back(*wanted_);
    return wanted_;
  }

  std::optional<instant> wanted_;
  std::vector<instant> under_way_; ///< messages, the next to come is the last
};

} // namespace harmony

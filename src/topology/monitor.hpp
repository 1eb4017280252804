#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "model/outcome.hpp"

namespace harmony {

/// One line of a relist: a thing of the runtime and a fingerprint of its state. Equal fingerprints
/// mean that nothing happened to it in between.
struct runtime_fact {
  std::string target;
  std::string fingerprint;

  friend bool operator==(const runtime_fact&, const runtime_fact&) = default;
};

/// A runtime's event source: systemd signals, podman's event stream, inotify. Events are hints that
/// make a look happen soon; the relist is the truth.
class runtime_monitor {
public:
  /// Called from the monitor's own thread: something happened to `target`; empty means that events
  /// may have been lost, so relist now. Must not block.
  using on_hint = std::function<void(std::string target)>;

  virtual ~runtime_monitor() = default;

  /// Starts the event thread. To be called once.
  virtual void start(on_hint sink) = 0;

  /// Ends the event thread and waits for it; no hint comes afterwards. Idempotent.
  virtual void stop() = 0;

  /// Sets which targets are of interest. Never blocks on the runtime.
  virtual void watch(std::vector<std::string> targets) = 0;

  /// The facts of the watched targets, by one list call however many there are. A target that is
  /// not there has an empty fingerprint. Where the runtime can tell, also of strays: what bears the
  /// agent's mark, is not watched and has never been in use. Blocks for at most `timeout`.
  virtual outcome<std::vector<runtime_fact>> relist(std::chrono::milliseconds timeout) = 0;

  /// Whether the event stream is up, so that relists may be rare.
  [[nodiscard]] virtual bool streaming() const = 0;
};

} // namespace harmony

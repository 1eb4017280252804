#include "topology/database_monitor.hpp"

#include <utility>

namespace harmony {

database_monitor::database_monitor(std::string what, std::vector<std::string> files, reader read)
  : files_(std::move(files)), read_(std::move(read)), listing_(std::move(what)) {}

database_monitor::~database_monitor() {
  events_.stop();
}

void database_monitor::start(on_hint sink) {
  events_.start([sink = std::move(sink)](const std::string& /*file*/) { sink({}); });
}

void database_monitor::stop() {
  events_.stop();
}

void database_monitor::watch(std::vector<std::string> targets) {
  bool any = false;
  {
    const std::lock_guard guard{mutex_};
    if (targets == targets_)
      return;
    targets_ = std::move(targets);
    any = !targets_.empty();
  }
  // New targets are to be hinted at; the events' monitor does that when its own change.
  events_.watch({});
  if (any)
    events_.watch(files_);
}

outcome<std::vector<runtime_fact>> database_monitor::relist(std::chrono::milliseconds timeout) {
  std::vector<std::string> targets;
  {
    const std::lock_guard guard{mutex_};
    targets = targets_;
  }
  return listing_.run([read = read_, targets = std::move(targets)] { return read(targets); },
                      timeout);
}

bool database_monitor::streaming() const {
  return events_.streaming();
}

} // namespace harmony

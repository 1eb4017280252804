#include "topology/timed_listing.hpp"

#include <condition_variable>
#include <optional>
#include <thread>
#include <utility>

namespace harmony {

struct timed_listing::shared_state {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<outcome<facts>> result;
  bool taken = false;

  bool ended() {
    const std::lock_guard guard{mutex};
    return taken || result.has_value();
  }
};

outcome<timed_listing::facts> timed_listing::run(std::function<outcome<facts>()> list,
                                                 std::chrono::milliseconds timeout) {
  std::shared_ptr<shared_state> mine;
  {
    const std::lock_guard guard{mutex_};
    if (newest_ && !newest_->ended())
      return {ec::timed_out, "an earlier look at " + what_ + " still hangs"};
    mine = newest_ = std::make_shared<shared_state>();
  }
  std::thread{[mine, list = std::move(list)] {
    auto result = list();
    const std::lock_guard guard{mine->mutex};
    mine->result = std::move(result);
    mine->changed.notify_all();
  }}.detach();
  std::unique_lock waiting{mine->mutex};
  if (!mine->changed.wait_for(waiting, timeout, [&] { return mine->result.has_value(); }))
    return {ec::timed_out, "looking at " + what_ + " took longer than "
                             + std::to_string(timeout.count())
                             + " ms: a file system or a directory service does not answer"};
  mine->taken = true;
  return std::move(*mine->result);
}

} // namespace harmony

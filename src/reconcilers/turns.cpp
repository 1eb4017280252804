#include "reconcilers/turns.hpp"

namespace harmony {

outcome<turns::turn> turns::take(const std::string& path, const op_limits& limits) {
  std::unique_lock guard{mutex_};
  const auto is_free = [&] { return busy_.find(path) == busy_.end(); };
  if (!changed_.wait_until(guard, limits.cancel, limits.deadline, is_free)) {
    auto ended = limits.check("waiting for an earlier operation on '" + path + "'");
    return ended ? failure{ec::timed_out, "an earlier operation on '" + path + "' still hangs"}
                 : ended.error();
  }
  busy_.insert(path);
  return turn{*this, path};
}

turns::turn::~turn() {
  if (all_ == nullptr)
    return;
  {
    const std::lock_guard guard{all_->mutex_};
    all_->busy_.erase(path_);
  }
  all_->changed_.notify_all();
}

} // namespace harmony

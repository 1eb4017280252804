#include "actors/executor.hpp"

#include <future>

#include <pthread.h>

#include "support/catch.hpp"

namespace harmony::test {

namespace {

/// While it lives, no thread of this process can be made: each would need more memory for its stack
/// than there are addresses.
class no_more_threads {
public:
  no_more_threads() {
    pthread_getattr_default_np(&before_);
    pthread_attr_t huge;
    pthread_attr_init(&huge);
    pthread_attr_setstacksize(&huge, std::size_t{1} << 47U);
    pthread_setattr_default_np(&huge);
    pthread_attr_destroy(&huge);
  }
  ~no_more_threads() {
    pthread_setattr_default_np(&before_);
    pthread_attr_destroy(&before_);
  }
  no_more_threads(const no_more_threads&) = delete;
  no_more_threads& operator=(const no_more_threads&) = delete;

private:
  pthread_attr_t before_{};
};

} // namespace

TEST_CASE("executor: work beside work -> a thread each") {
  std::promise<void> first, second; // each ends only beside the other
  thread_executor workers;          // ends before what its work uses
  workers.post([&] {
    first.set_value();
    second.get_future().wait();
  });
  workers.post([&] {
    first.get_future().wait();
    second.set_value();
  });
}

TEST_CASE("executor: no thread to be had -> the work waits for one that is there") {
  std::promise<void> begun, release, done;
  thread_executor workers; // ends before what its work uses
  workers.post([&] {
    begun.set_value();
    release.get_future().wait();
  });
  begun.get_future().wait();
  {
    const no_more_threads limit;
    REQUIRE_NOTHROW(workers.post([&] { done.set_value(); }));
  }
  release.set_value();
  done.get_future().wait();
}

} // namespace harmony::test

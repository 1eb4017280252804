#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

#include "support/nats_server.hpp"
#include "support/temp_dir.hpp"
#include "transport/store.hpp"

/// What the store tests share: a place for each kind of store, and ways to wait for it.
namespace harmony::test {

using std::chrono::milliseconds;

/// Longer than anything here takes on a busy machine: a test that waits this long has failed.
inline constexpr auto patience = std::chrono::seconds{20};
/// The timeout of calls that should succeed.
inline constexpr milliseconds ample{10000};

/// The code of a failure; internal, which no store gives, for a success.
template <class T>
ec code_of(const outcome<T>& what) {
  return what.ok() ? ec::internal : what.error().code;
}

inline milliseconds since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start);
}

/// Things that come from callbacks, to be waited for.
template <class T>
class mailbox {
public:
  void put(T thing) {
    const std::lock_guard guard{mutex_};
    things_.push_back(std::move(thing));
    came_.notify_all();
  }

  /// Takes things until one satisfies `wanted`; false when none came in time.
  template <class Wanted>
  bool take_until(Wanted wanted, std::chrono::milliseconds at_most = patience) {
    const auto until = std::chrono::steady_clock::now() + at_most;
    std::unique_lock guard{mutex_};
    while (came_.wait_until(guard, until, [&] { return !things_.empty(); })) {
      auto thing = std::move(things_.front());
      things_.pop_front();
      if (wanted(thing))
        return true;
    }
    return false;
  }

  void clear() {
    const std::lock_guard guard{mutex_};
    things_.clear();
  }

  [[nodiscard]] bool empty() {
    const std::lock_guard guard{mutex_};
    return things_.empty();
  }

private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<T> things_;
};

/// The hints of one watch.
class hints {
public:
  store::on_change sink() {
    return [box = box_](const std::string& key) { box->put(key); };
  }
  /// Waits for a hint that covers `key`.
  bool covers(const std::string& key) {
    return box_->take_until([&](const auto& got) { return got.empty() || got == key; });
  }
  /// Waits for a hint of just `key`.
  bool names(const std::string& key) {
    return box_->take_until([&](const auto& got) { return got == key; });
  }
  /// Waits until `value` of `key` could be read after a hint that covers it. For where the watch
  /// may not be in place yet, so that the hint names no key, or an older hint may still be on its
  /// way.
  bool shows(store& s, bucket b, const std::string& key, const std::string& value) {
    return box_->take_until([&](const auto& got) {
      if (!got.empty() && got != key)
        return false;
      const auto found = s.get(b, key, ample);
      return found && *found && (*found)->value == value;
    });
  }
  mailbox<std::string>& box() { return *box_; }

private:
  std::shared_ptr<mailbox<std::string>> box_ = std::make_shared<mailbox<std::string>>();
};

struct connection_state {
  bool connected;
  std::string detail;
};

/// The connection states of one store.
class states {
public:
  explicit states(store& of) {
    of.watch_connection([box = box_](bool up, const std::string& detail) {
      box->put({up, detail});
    });
  }
  bool reaches(bool connected) {
    return box_->take_until([&](const auto& got) { return got.connected == connected; });
  }
  bool says(bool connected, const std::string& part) {
    return box_->take_until([&](const auto& got) {
      return got.connected == connected && got.detail.find(part) != std::string::npos;
    });
  }

private:
  std::shared_ptr<mailbox<connection_state>> box_ = std::make_shared<mailbox<connection_state>>();
};

/// Opens `url`, connected or not.
inline std::unique_ptr<store> open_url(const std::string& url) {
  store_options options;
  options.url = url;
  options.name = "store test";
  auto opened = open_store(options);
  if (!opened)
    throw std::runtime_error{opened.error().message};
  return std::move(*opened);
}

/// Opens `url` and waits until it is connected.
inline std::unique_ptr<store> open_connected(const std::string& url) {
  auto opened = open_url(url);
  if (!states{*opened}.reaches(true))
    throw std::runtime_error{"not connected to " + url};
  return opened;
}

/// A place for directory stores.
class directory_bed {
public:
  [[nodiscard]] std::string url() const { return "dir:" + (folder_ / "store").string(); }

private:
  temp_dir folder_;
};

/// A server for NATS stores.
class nats_bed {
public:
  [[nodiscard]] std::string url() const { return server_.url(); }

private:
  nats_server server_;
};

/// A prepared store; `Bed` is one of the above.
template <class Bed>
struct prepared : Bed {
  prepared() : first(open_connected(this->url())) {
    if (auto done = first->prepare(ample); !done)
      throw std::runtime_error{done.error().message};
  }
  std::unique_ptr<store> first;
};

} // namespace harmony::test

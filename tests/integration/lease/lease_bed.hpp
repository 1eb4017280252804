#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <nats/nats.h>

#include "integration/transport/beds.hpp"
#include "transport/nats_lease_store.hpp"

/// A member's store on a real server, and what it tells.
namespace harmony::test {

namespace fo = harmony::failover;
namespace ev = harmony::failover::ev;

inline constexpr const char* cluster_name = "orders";

/// A record of `holder`, as good as any.
fo::lease_record record_of(const std::string& holder, std::uint64_t epoch, std::uint64_t nonce = 1);
fo::member_heartbeat beat_of(const std::string& node, std::uint64_t number);

/// Timings whose requests are given up after 2 s: a busy machine is no silent server.
fo::timings patient();

/// One member. What the store tells it is kept, in order, until it is taken.
class lease_member {
public:
  lease_member(const std::string& url, const std::string& node, fo::timings periods = patient());
  explicit lease_member(lease_store_options options);
  ~lease_member() { store_->close(); }
  lease_member(const lease_member&) = delete;
  lease_member& operator=(const lease_member&) = delete;

  [[nodiscard]] fo::lease_store& store() { return *store_; }

  /// The next event of that kind, for which `wanted` holds; fails the test where none comes. What
  /// came before it is dropped.
  template <class Event, class Wanted>
  Event take(Wanted wanted) {
    Event got{};
    const bool came = events_->take_until([&](const fo::event& e) {
      const auto* is = std::get_if<Event>(&e);
      if (is == nullptr || !wanted(*is))
        return false;
      got = *is;
      return true;
    });
    if (!came)
      throw std::runtime_error{"what was waited for did not come"};
    return got;
  }
  template <class Event>
  Event take() {
    return take<Event>([](const auto&) { return true; });
  }

  /// Takes the answer to a request.
  fo::event cas(std::uint64_t connection, std::uint64_t expected, fo::lease_record record);
  fo::event read(std::uint64_t connection);
  /// Until the log says so.
  bool says(const std::string& part);
  mailbox<fo::event>& events() { return *events_; }

private:
  void open(lease_store_options options);

  std::shared_ptr<mailbox<fo::event>> events_ = std::make_shared<mailbox<fo::event>>();
  std::shared_ptr<mailbox<std::string>> log_ = std::make_shared<mailbox<std::string>>();
  std::unique_ptr<nats_lease_store> store_;
  std::uint64_t requests_ = 0;
};

/// Somebody with all rights, who keeps to no rule.
class stranger {
public:
  explicit stranger(const std::string& url);
  ~stranger();
  stranger(const stranger&) = delete;
  stranger& operator=(const stranger&) = delete;

  /// Waits until the stream has it.
  void put(const std::string& subject, const std::string& text, bool deletion = false);
  /// What nobody stores.
  void say(const std::string& subject, const std::string& text);
  jsCtx* jetstream() { return context_; }

private:
  natsConnection* connection_ = nullptr;
  jsCtx* context_ = nullptr;
};

} // namespace harmony::test

#pragma once

#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <nats/nats.h>

#include "transport/handshake_guard.hpp"

/// Owners of what the client library hands out.
namespace harmony::nats {

template <auto Destroy>
struct destroyer {
  template <class T>
  void operator()(T* thing) const noexcept {
    Destroy(thing);
  }
};

using options_ptr = std::unique_ptr<natsOptions, destroyer<natsOptions_Destroy>>;
using msg_ptr = std::unique_ptr<natsMsg, destroyer<natsMsg_Destroy>>;
using subscription_ptr = std::unique_ptr<natsSubscription, destroyer<natsSubscription_Destroy>>;
using pub_ack_ptr = std::unique_ptr<jsPubAck, destroyer<jsPubAck_Destroy>>;
using stream_info_ptr = std::unique_ptr<jsStreamInfo, destroyer<jsStreamInfo_Destroy>>;
using kv_ptr = std::unique_ptr<kvStore, destroyer<kvStore_Destroy>>;

/// One connection that was made, and its JetStream context. Dropping the last reference closes it,
/// which may take a moment: never in a callback of the library.
class session {
public:
  session(natsConnection* connection, jsCtx* context, std::uint64_t id)
    : connection_(connection), context_(context), id_(id), mark_(local_port_of(connection)) {}
  session(const session&) = delete;
  session& operator=(const session&) = delete;
  ~session() {
    jsCtx_Destroy(context_);
    natsConnection_Destroy(connection_);
  }

  [[nodiscard]] natsConnection* connection() const { return connection_; }
  [[nodiscard]] jsCtx* jetstream() const { return context_; }
  [[nodiscard]] std::uint64_t id() const { return id_; }

private:
  static int local_port_of(natsConnection* connection) {
    char* ip = nullptr;
    int port = -1;
    natsConnection_GetLocalIPAndPort(connection, &ip, &port);
    std::free(ip); // NOLINT(cppcoreguidelines-no-malloc): the library's malloc
    return port;
  }

  natsConnection* connection_;
  jsCtx* context_;
  std::uint64_t id_;
  connection_mark mark_;
};

/// Numbers that stand for objects in the library's callbacks: a callback that comes late, even
/// after its object went, finds nothing instead of freed memory.
template <class T>
class callback_ids {
public:
  static void* add(std::weak_ptr<T> object) {
    auto& all = table();
    const std::lock_guard guard{all.mutex};
    all.objects.emplace(++all.last, std::move(object));
    return reinterpret_cast<void*>(all.last); // NOLINT(performance-no-int-to-ptr): never followed
  }

  static std::shared_ptr<T> find(void* id) {
    auto& all = table();
    const std::lock_guard guard{all.mutex};
    const auto found = all.objects.find(reinterpret_cast<std::uintptr_t>(id));
    return found == all.objects.end() ? nullptr : found->second.lock();
  }

  static void drop(void* id) {
    auto& all = table();
    const std::lock_guard guard{all.mutex};
    all.objects.erase(reinterpret_cast<std::uintptr_t>(id));
  }

private:
  struct state {
    std::mutex mutex;
    std::map<std::uintptr_t, std::weak_ptr<T>> objects;
    std::uintptr_t last = 0;
  };

  static state& table() {
    static auto* const forever = new state; // callbacks may still come while the process exits
    return *forever;
  }
};

} // namespace harmony::nats

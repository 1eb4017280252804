// Three servers, three replicas of each bucket.
#include <array>
#include <nats/nats.h>
#include <thread>

#include "site.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

using std::chrono::steady_clock;

class cluster {
public:
  cluster() {
    std::array<int, 3> routes{};
    std::string all;
    for (auto& each : routes) {
      each = nats_server::unused_port();
      all += (all.empty() ? "" : ", ") + std::string{"\"nats://127.0.0.1:"} + std::to_string(each)
             + "\"";
    }
    for (const int each : routes)
      servers_.push_back(std::make_unique<nats_server>("cluster { name: c, listen: \"127.0.0.1:"
                                                       + std::to_string(each) + "\", routes: [ "
                                                       + all + " ] }"));
  }

  /// Of all servers, `but` one.
  [[nodiscard]] std::string url(const nats_server* but = nullptr) const {
    std::string all;
    for (const auto& each : servers_)
      if (each.get() != but)
        all += (all.empty() ? "" : ",") + each->url();
    return all;
  }

  /// The server that leads the stream; waits until there is one.
  nats_server& leader_of(const char* stream, const nats_server* not_this = nullptr) {
    const auto end = steady_clock::now() + patience;
    while (steady_clock::now() < end) {
      for (const auto& each : servers_)
        if (each.get() != not_this && each->running())
          if (const auto name = leader_by(*each, stream); !name.empty())
            for (const auto& other : servers_)
              if (other.get() != not_this && name == "test-" + std::to_string(other->port()))
                return *other;
      std::this_thread::sleep_for(milliseconds{20});
    }
    throw std::runtime_error{std::string{"no leader of "} + stream};
  }

  /// Three replicas of each bucket.
  void replicate() {
    for (const char* name : {"KV_desired-state", "KV_actual-state", "KV_device-info"})
      with(*servers_[0], [&](jsCtx* context) {
        jsStreamInfo* info = nullptr;
        REQUIRE(js_GetStreamInfo(&info, context, name, nullptr, nullptr) == NATS_OK);
        info->Config->Replicas = 3;
        jsErrCode error{};
        const auto done = js_UpdateStream(nullptr, context, info->Config, nullptr, &error);
        INFO("error code " << error);
        CHECK(done == NATS_OK);
        jsStreamInfo_Destroy(info);
      });
    for (const char* name : {"KV_desired-state", "KV_actual-state", "KV_device-info"})
      REQUIRE(are_current(name));
  }

private:
  /// Waits until both other replicas have all that the leader has: only then can they go on alone.
  bool are_current(const char* stream) {
    const auto end = steady_clock::now() + patience;
    while (steady_clock::now() < end) {
      int current = 0;
      with(leader_of(stream), [&](jsCtx* context) {
        jsStreamInfo* info = nullptr;
        if (js_GetStreamInfo(&info, context, stream, nullptr, nullptr) != NATS_OK)
          return;
        for (int i = 0; info->Cluster != nullptr && i < info->Cluster->ReplicasLen; ++i)
          current += info->Cluster->Replicas[i]->Current ? 1 : 0;
        jsStreamInfo_Destroy(info);
      });
      if (current == 2)
        return true;
      std::this_thread::sleep_for(milliseconds{20});
    }
    return false;
  }

  template <class F>
  static void with(const nats_server& server, F&& f) {
    natsConnection* connection = nullptr;
    jsCtx* context = nullptr;
    jsOptions options;
    jsOptions_Init(&options);
    options.Wait = 5000;
    if (natsConnection_ConnectTo(&connection, server.url().c_str()) == NATS_OK
        && natsConnection_JetStream(&context, connection, &options) == NATS_OK)
      f(context);
    jsCtx_Destroy(context);
    natsConnection_Destroy(connection);
  }

  static std::string leader_by(const nats_server& server, const char* stream) {
    std::string name;
    with(server, [&](jsCtx* context) {
      jsStreamInfo* info = nullptr;
      if (js_GetStreamInfo(&info, context, stream, nullptr, nullptr) != NATS_OK)
        return;
      if (info->Cluster != nullptr && info->Cluster->Leader != nullptr)
        name = info->Cluster->Leader;
      jsStreamInfo_Destroy(info);
    });
    return name;
  }

  std::vector<std::unique_ptr<nats_server>> servers_;
};

} // namespace

TEST_CASE(
  "hostile: leader of the status killed, then frozen, in a cluster of three -> goes on with "
  "the others, nothing lost or doubled",
  "[hostile][.long]") {
  cluster servers;
  // A hint is lost with the route between two servers; then the poll finds the change.
  device d{servers.url(), servers.url(), {"--poll-interval", "10s"}};
  servers.replicate();
  d.agent.start();
  {
    operator_link op{servers.url()};
    op.apply(1, d.file(), "1");
    op.until(steady_clock::now(), converged_at(1));
  }
  const bool frozen = GENERATE(false, true);
  auto& leader = servers.leader_of("KV_actual-state");
  const auto from = steady_clock::now();
  if (frozen)
    leader.freeze();
  else
    leader.kill();
  servers.leader_of("KV_actual-state", &leader);
  servers.leader_of("KV_desired-state", &leader);
  const auto elected = since(from);
  const std::string what = frozen ? "cluster leader frozen" : "cluster leader killed";
  report(what, "new leader elected", elected);
  {
    operator_link op{servers.url(&leader)};
    op.apply(2, d.file(), "2");
    const auto back = op.until(from, converged_at(2));
    report(what, "desired change followed, since the leader went", back);
    CHECK(back <= std::chrono::seconds{30});
  }
  if (frozen)
    leader.thaw();
  else
    leader.start();
  operator_link op{servers.url()};
  const auto again = steady_clock::now();
  op.apply(3, d.file(), "3");
  report(what, "followed when it came back (poll 10 s)", op.until(again, converged_at(3)));
  op.check_history();
}

} // namespace harmony::test

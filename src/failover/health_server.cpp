#include "failover/health_server.hpp"

#include <charconv>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <httplib.h>

namespace harmony::failover {

namespace {

/// A check that hangs takes one; the others go on.
constexpr std::size_t threads = 4;

/// The library's own takes every connection that comes, each a descriptor of the agent. Here the
/// others wait in the kernel.
class bounded_pool final : public httplib::TaskQueue {
public:
  void enqueue(std::function<void()> job) override {
    {
      std::unique_lock lock{mutex_};
      room_.wait(lock, [&] { return taken_ < most; });
      ++taken_;
    }
    pool_.enqueue([this, job = std::move(job)] {
      job();
      const std::lock_guard lock{mutex_};
      --taken_;
      room_.notify_one();
    });
  }
  void shutdown() override { pool_.shutdown(); }

private:
  static constexpr int most = 16;
  httplib::ThreadPool pool_{threads};
  std::mutex mutex_;
  std::condition_variable room_;
  int taken_ = 0;
};

std::optional<lsn> lag_of(const httplib::Request& request) {
  const auto text = request.get_param_value("lag");
  lsn lag = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), lag);
  if (error != std::errc{} || stop != text.data() + text.size())
    return {};
  return lag;
}

} // namespace

struct health_server::parts {
  httplib::Server server;
  int port = 0;
  std::thread thread;
};

health_server::health_server(std::unique_ptr<parts> p) : parts_(std::move(p)) {}

health_server::~health_server() {
  parts_->server.stop();
  parts_->thread.join();
}

int health_server::port() const {
  return parts_->port;
}

outcome<std::unique_ptr<health_server>> health_server::start(const std::string& address, int port,
                                                             std::function<member_view()> look) {
  auto p = std::make_unique<parts>();
  auto& server = p->server;
  server.new_task_queue = [] { return new bounded_pool; }; // the library deletes it
  server.set_socket_options(
    [](socket_t socket) { // the library's own let two processes share a port
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
  server.set_read_timeout(1);
  server.set_write_timeout(1);
  server.set_keep_alive_max_count(1);
  server.set_payload_max_length(0);
  const auto answer = [look = std::move(look)](const httplib::Request& request,
                                               httplib::Response& response) {
    if (request.has_param("lag") && !lag_of(request)) {
      response.status = 400;
      response.set_content("{\"error\":\"'lag' is a number of bytes\"}\n", "application/json");
      return;
    }
    auto said = answer_of(look(), request.path, lag_of(request));
    response.status = said.status;
    response.set_content(said.body, "application/json");
  };
  server.Get(".*", answer);     // HEAD comes here, too
  server.Options(".*", answer); // HAProxy's default check
  p->port = port == 0                            ? server.bind_to_any_port(address)
            : server.bind_to_port(address, port) ? port
                                                 : -1;
  if (p->port < 0)
    return failure{ec::port_in_use,
                   "health cannot be told at '" + address + ":" + std::to_string(port)
                     + "': the port is taken, or the address is not this device's"};
  p->thread = std::thread{[&server] { server.listen_after_bind(); }};
  while (!server.is_running()) // a stop before that would be lost
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  return std::unique_ptr<health_server>{new health_server{std::move(p)}};
}

} // namespace harmony::failover

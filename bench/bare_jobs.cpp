#include "bare_jobs.hpp"

#include "bench.hpp"

namespace harmony::bench {

namespace {

const bus_reply& await(bus_wait& wait, const std::string& what) {
  std::unique_lock lock{wait.mutex};
  need(wait.changed.wait_for(lock, std::chrono::seconds{60}, [&] { return wait.missing == 0; }),
       what);
  const auto& reply = wait.replies.front();
  if (reply.error)
    give_up(what + ": " + reply.error->message);
  return reply;
}

} // namespace

bare_jobs::bare_jobs()
  : loop_(std::make_shared<systemd_loop>(std::string{})), thread_([this] { loop_->run(); }) {
  loop_->listen([this](const systemd_event& e) {
    if (e.what == systemd_event::kind::files)
      ++reloads_;
  });
  spin([this] { return loop_->up(); }, "connecting to systemd");
}

bare_jobs::~bare_jobs() {
  loop_->stop();
  thread_.join();
}

void bare_jobs::run(const char* method, const std::vector<std::string>& units) {
  const auto deadline = systemd_loop::clock::now() + std::chrono::seconds{60};
  std::vector<systemd_loop::wait_ptr> waits;
  waits.reserve(units.size());
  for (const auto& unit : units)
    waits.push_back(loop_->job({"/org/freedesktop/systemd1",
                                "org.freedesktop.systemd1.Manager",
                                method,
                                {unit, std::string{"replace"}},
                                bus_answer::path},
                               deadline));
  for (std::size_t i = 0; i < units.size(); ++i)
    need(await(*waits[i], method + (" of " + units[i])).text == "done", method);
}

void bare_jobs::reload() {
  await(*loop_->reload(), "reload");
}

} // namespace harmony::bench

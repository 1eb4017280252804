// harmonyctl: the composition of the real parts, and nothing else.
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include <unistd.h>

#include "apps/ctl/environment.hpp"
#include "apps/ctl/interrupt.hpp"
#include "transport/nats_admin.hpp"

namespace {

std::string variable(const char* name) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): read before any thread is started, and never written
  const auto* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

harmony::outcome<std::shared_ptr<harmony::store>> open(const harmony::store_options& options) {
  auto opened = harmony::open_store(options);
  if (!opened)
    return opened.error();
  return std::shared_ptr<harmony::store>{std::move(*opened)};
}

} // namespace

int main(int argc, char* argv[]) {
  using namespace harmony::ctl;
  interrupt_watcher interrupts;
  environment env{std::cin, std::cout, std::cerr};
  env.in_is_terminal = ::isatty(STDIN_FILENO) == 1;
  env.out_is_terminal = ::isatty(STDOUT_FILENO) == 1;
  env.err_is_terminal = ::isatty(STDERR_FILENO) == 1;
  env.variable = variable;
  env.open = open;
  env.open_clusters = harmony::open_cluster_store;
  env.ask_server = harmony::nats::request_once;
  env.now = std::chrono::system_clock::now;
  env.on_interrupt = [&] { return interrupts.start(); };
  return run(std::vector<std::string>(argv + 1, argv + argc), env);
}

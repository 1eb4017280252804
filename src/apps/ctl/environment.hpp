#pragma once

#include <chrono>
#include <functional>
#include <iosfwd>
#include <memory>
#include <stop_token>
#include <string>

#include "transport/cluster_store.hpp"
#include "transport/store.hpp"

namespace harmony::ctl {

/// Everything that harmonyctl takes from its surroundings, so that tests can give it others.
struct environment {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool in_is_terminal = false;
  bool out_is_terminal = false;
  bool err_is_terminal = false;

  /// The value of an environment variable; empty when it is not set.
  std::function<std::string(const char* name)> variable;
  std::function<outcome<std::shared_ptr<store>>(const store_options&)> open;
  /// The failover clusters of a store.
  std::function<outcome<std::shared_ptr<cluster_store>>(const store_options&)> open_clusters;
  /// Asks something of a NATS server itself: subject, payload.
  std::function<outcome<std::string>(const store_options&, const std::string&, const std::string&,
                                     std::chrono::milliseconds)>
    ask_server;
  std::function<std::chrono::system_clock::time_point()> now;
  /// Gives a token that stops when the user interrupts; asked for by commands that run until then.
  std::function<std::stop_token()> on_interrupt;
};

/// Runs harmonyctl with `arguments` (without the program's name) and gives its exit code.
int run(const std::vector<std::string>& arguments, environment& env);

} // namespace harmony::ctl

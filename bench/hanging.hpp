#pragma once

#include <string>
#include <vector>

namespace harmony::bench {

/// A server on the loopback that accepts connections and never says a word.
class silent_server {
public:
  silent_server();
  ~silent_server();
  silent_server(const silent_server&) = delete;
  silent_server& operator=(const silent_server&) = delete;

  /// "127.0.0.1:port"
  [[nodiscard]] std::string address() const;

private:
  int fd_ = -1;
};

/// Declarations of resources of one kind: ones that get in place at once, and ones whose apply
/// never ends.
struct hanging_kind {
  std::string name;    ///< "SystemdUnit"
  std::string how;     ///< what its apply hangs in
  std::string healthy; ///< JSON with '%' for the resource's name
  std::string hanging; ///< likewise

  /// "prefix-0" and so on, `count` of them.
  [[nodiscard]] static std::vector<std::string> many(const std::string& json,
                                                     const std::string& prefix, int count);
  [[nodiscard]] static std::string one(const std::string& json, const std::string& name);
};

/// A unit that never says that it is ready.
hanging_kind hanging_units();
/// A file below `site` whose content `server` never sends.
hanging_kind hanging_files(const std::string& site, const silent_server& server);
/// A container whose image `server` never sends.
hanging_kind hanging_containers(const silent_server& server);

} // namespace harmony::bench

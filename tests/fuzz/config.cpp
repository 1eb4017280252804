// The agent's configuration file, as read_options takes it in.

#include <array>
#include <variant>

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/agent/options.hpp"
#include "fuzz.hpp"
#include "model/ids.hpp"

namespace harmony::fuzz {

namespace {

/// Hands out the bytes as a file.
class memory_file {
public:
  explicit memory_file(std::string_view content) : fd_(::memfd_create("config", MFD_CLOEXEC)) {
    require(::fchmod(fd_, 0600) == 0, "nobody else may write it");
    require(::write(fd_, content.data(), content.size()) == static_cast<ssize_t>(content.size()),
            "memory takes the input");
  }
  memory_file(const memory_file&) = delete;
  memory_file& operator=(const memory_file&) = delete;
  ~memory_file() { ::close(fd_); }

  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

private:
  int fd_;
};

} // namespace

void take(std::string_view bytes) {
  (void)parse_duration(bytes);
  const memory_file file{bytes};
  const auto path = file.path();
  const std::array<const char*, 3> line{"harmony-agent", "--config", path.c_str()};
  const auto read = read_options(static_cast<int>(line.size()), line.data());
  if (const auto* wrong = std::get_if<early_exit>(&read)) {
    require(wrong->code == 2 && !wrong->text.empty(), "a wrong file is told of");
    return;
  }
  const auto* options = std::get_if<agent_options>(&read);
  require(options != nullptr, "a file asks for no status");
  require(is_name(options->agent_id), "an agent has a name");
  require(options->heartbeat_interval.count() > 0, "heartbeats have an interval");
}

} // namespace harmony::fuzz

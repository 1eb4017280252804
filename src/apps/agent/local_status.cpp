#include "apps/agent/local_status.hpp"

#include <cstdio>
#include <fstream>
#include <iterator>
#include <ostream>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "apps/agent/connection_note.hpp"
#include "core/explain.hpp"
#include "fault/fault.hpp"
#include "model/status.hpp"
#include "topology/wall_clock.hpp"

namespace harmony {

namespace {

constexpr int exit_failure = 1;
constexpr int exit_not_found = 3;

std::string file_in(const std::string& state_dir) {
  return state_dir + "/status.json";
}

} // namespace

bool is_running(const std::string& state_dir) {
  const int fd = ::open((state_dir + "/lock").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return false;
  const bool held = ::flock(fd, LOCK_SH | LOCK_NB) != 0;
  ::close(fd);
  return held;
}

void keep_local_status(const std::string& state_dir, const std::string& text) {
  HARMONY_FAULT_OR("status.keep.before", return );
  const auto file = file_in(state_dir);
  const auto fresh = file + ".new";
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return;
  const bool whole = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  if (!whole || std::rename(fresh.c_str(), file.c_str()) != 0)
    ::unlink(fresh.c_str());
  HARMONY_FAULT_OR("status.keep.after", return );
}

int show_local_status(const status_request& what, std::ostream& out, std::ostream& err) {
  const auto file = file_in(what.state_dir);
  std::ifstream in{file, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  const bool running = is_running(what.state_dir);
  if (!in) {
    err << "harmony-agent: cannot read '" << file << "': "
        << (::access(what.state_dir.c_str(), X_OK) != 0
              ? "the state folder is closed to this user, or not there; try sudo, or --state-dir"
              : "the agent has not run here yet; see systemctl status harmony-agent")
        << "\n";
    return exit_failure;
  }
  const auto status = read_status(text);
  if (!status) {
    err << "harmony-agent: '" << file << "': " << status.error().message << "\n";
    return exit_failure;
  }
  if (what.resource && status->resources.count(*what.resource) == 0) {
    err << "harmony-agent: no resource '" << what.resource->str() << "' on this device\n";
    return exit_not_found;
  }
  if (!running)
    err
      << "harmony-agent: no agent runs with this state folder; what follows is what it said last\n";
  else
    err << read_connection_note(what.state_dir);
  if (what.as_json) {
    out << text << "\n";
    return 0;
  }
  const auto now = wall_now();
  out << (what.resource ? text_of({explain_resource(*status, *what.resource, nullptr, now)})
                        : text_of(explain_agent(*status, nullptr, now)));
  return 0;
}

} // namespace harmony

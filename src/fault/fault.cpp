#include "fault/fault.hpp"

#ifdef HARMONY_FAULTS

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <string>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

namespace harmony::fault {

namespace {

enum class kind { none, kill, error, hang };

struct selection {
  std::size_t point = points.size();
  unsigned hit = 0;
  kind what = kind::none;
  std::chrono::milliseconds hang = std::chrono::hours{24};
  int log = -1;
};

/// A test's mistake must not look like a fault that was survived.
[[noreturn]] void misused(const std::string& text) {
  const auto line = "HARMONY_FAULT: " + text + "\n";
  [[maybe_unused]] const auto n = ::write(STDERR_FILENO, line.data(), line.size());
  std::abort();
}

kind kind_in(const std::string& text) {
  if (text == "kill")
    return kind::kill;
  if (text == "error")
    return kind::error;
  if (text == "hang")
    return kind::hang;
  misused("expected kill, error or hang, got '" + text + "'");
}

selection read_selection() {
  selection s;
  if (const auto* file = std::getenv("HARMONY_FAULT_LOG"))
    s.log = ::open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (const auto* text = std::getenv("HARMONY_FAULT_HANG"))
    s.hang = std::chrono::milliseconds{std::strtol(text, nullptr, 10)};
  const auto* text = std::getenv("HARMONY_FAULT");
  if (text == nullptr)
    return s;
  std::istringstream words{text};
  std::string name;
  std::string what;
  if (!(words >> name >> s.hit >> what) || s.hit == 0)
    misused("expected POINT HIT KIND, got '" + std::string{text} + "'");
  const auto* const at = std::find(points.begin(), points.end(), name);
  if (at == points.end())
    misused("no point '" + name + "'");
  s.point = static_cast<std::size_t>(at - points.begin());
  s.what = kind_in(what);
  return s;
}

const selection& selected() {
  static const selection s = read_selection();
  return s;
}

void log(int file, std::string line) {
  line += "\n";
  [[maybe_unused]] const auto n = ::write(file, line.data(), line.size());
}

failure injected(std::string_view name) {
  if (name.ends_with(".after"))
    return {ec::timed_out, "injected at '" + std::string{name} + "': the answer was lost"};
  return {ec::io_error, "injected at '" + std::string{name} + "'"};
}

outcome<void> act(const selection& s) {
  const auto name = points.at(s.point);
  switch (s.what) {
  case kind::none: break;
  case kind::kill:
    log(s.log, std::string{name} + " kill");
    ::kill(::getpid(), SIGKILL);
    for (;;) // it may take the kernel a moment
      ::pause();
  case kind::error: log(s.log, std::string{name} + " error"); return injected(name);
  case kind::hang:
    log(s.log, std::string{name} + " hang");
    std::this_thread::sleep_for(s.hang);
    break;
  }
  return {};
}

} // namespace

outcome<void> reach(std::size_t point) {
  static std::array<std::atomic<unsigned>, points.size()> hits{};
  const auto& s = selected();
  if (s.log >= 0)
    log(s.log, std::string{points.at(point)});
  const auto hit = ++hits.at(point);
  return point == s.point && hit == s.hit ? act(s) : outcome<void>{};
}

std::optional<std::chrono::milliseconds> operation_limit() {
  const auto* text = std::getenv("HARMONY_FAULT_LIMIT");
  if (text == nullptr)
    return {};
  return std::chrono::milliseconds{std::strtol(text, nullptr, 10)};
}

} // namespace harmony::fault

#endif

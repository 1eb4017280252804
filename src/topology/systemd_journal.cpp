#include "topology/systemd_journal.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <poll.h>
#include <unistd.h>
#include <vector>

#include <systemd/sd-journal.h>

#include "topology/check_limits.hpp"

namespace harmony {

namespace {

using std::chrono::steady_clock;

struct closer {
  void operator()(sd_journal* j) const noexcept { sd_journal_close(j); }
};
using journal_ptr = std::unique_ptr<sd_journal, closer>;

failure failed(int error, const std::string& doing) {
  const auto code = -error == EACCES || -error == EPERM ? ec::permission_denied
                    : -error == EINVAL                  ? ec::invalid_spec
                                                        : ec::io_error;
  return {code, "cannot " + doing + ": " + error_text(-error)};
}

outcome<journal_ptr> open(systemd_config::scope scope, const std::string& folder) {
  sd_journal* raw = nullptr;
  const int flags =
    SD_JOURNAL_LOCAL_ONLY | (scope == systemd_config::scope::user ? SD_JOURNAL_CURRENT_USER : 0);
  const int done = folder.empty() ? sd_journal_open(&raw, flags)
                                  : sd_journal_open_directory(&raw, folder.c_str(), 0);
  if (done < 0)
    return failed(done, "open the journal");
  return journal_ptr{raw};
}

/// What the unit wrote, or its manager said of it.
void match(sd_journal* j, systemd_config::scope scope, const std::string& unit) {
  const auto add = [&](const std::string& text) {
    sd_journal_add_match(j, text.data(), text.size());
  };
  const auto uid = "_UID=" + std::to_string(::geteuid());
  const bool user = scope == systemd_config::scope::user;
  add((user ? "_SYSTEMD_USER_UNIT=" : "_SYSTEMD_UNIT=") + unit);
  if (user)
    add(uid);
  sd_journal_add_disjunction(j);
  add((user ? "USER_UNIT=" : "UNIT=") + unit);
  add(user ? uid : "_PID=1");
}

std::string cursor_of(sd_journal* j) {
  char* raw = nullptr;
  if (sd_journal_get_cursor(j, &raw) < 0)
    return {};
  std::string cursor{raw};
  std::free(raw); // NOLINT(cppcoreguidelines-no-malloc): the library's malloc
  return cursor;
}

log_line line_at(sd_journal* j) {
  log_line line;
  std::uint64_t microseconds = 0;
  if (sd_journal_get_realtime_usec(j, &microseconds) >= 0)
    line.at = timestamp{std::chrono::milliseconds{microseconds / 1000}};
  const void* data = nullptr;
  std::size_t size = 0;
  constexpr std::string_view name = "MESSAGE=";
  if (sd_journal_get_data(j, "MESSAGE", &data, &size) >= 0 && size >= name.size()) {
    const std::string_view text{static_cast<const char*>(data), size};
    line.text = text.substr(name.size(), max_log_line);
  }
  return line;
}

/// Goes before the first entry to be read; a call of `next` then stands at it.
outcome<void> seek(sd_journal* j, const log_query& query) {
  if (query.cursor.empty()) {
    int done = sd_journal_seek_tail(j);
    if (done >= 0)
      done = sd_journal_previous_skip(j, std::uint64_t{query.tail} + 1);
    if (done < 0)
      return failed(done, "read the journal");
    // Fewer than that: `previous_skip` stopped at the first one, which is to be read too.
    if (static_cast<std::uint64_t>(done) <= query.tail)
      sd_journal_seek_head(j);
    return {};
  }
  if (const int done = sd_journal_seek_cursor(j, query.cursor.c_str()); done < 0)
    return failed(done, "find the place in the journal that the cursor names");
  // At the entry itself, or where it is gone at the one after it, which is still to be read.
  if (sd_journal_next(j) > 0 && sd_journal_test_cursor(j, query.cursor.c_str()) <= 0)
    sd_journal_previous(j);
  return {};
}

/// Appends what there is, as far as an answer may hold it.
outcome<void> read_on(sd_journal* j, logs_result& into) {
  std::size_t bytes = 0;
  while (bytes < max_log_answer) {
    const int more = sd_journal_next(j);
    if (more < 0)
      return failed(more, "read the journal");
    if (more == 0)
      break;
    into.lines.push_back(line_at(j));
    bytes += into.lines.back().text.size();
    into.cursor = cursor_of(j);
  }
  return {};
}

/// Waits until the journal grows; false when that was all.
bool await_more(sd_journal* j, const check_limits& limits) {
  ::pollfd files[] = {
    {sd_journal_get_fd(j), static_cast<short>(sd_journal_get_events(j)), 0},
    limits.canceled_fd(),
  };
  while (!limits.over() && !limits.canceled()) {
    if (::poll(files, 2, limits.left()) <= 0)
      return false;
    if (files[0].revents != 0 && sd_journal_process(j) != SD_JOURNAL_NOP)
      return true;
  }
  return false;
}

} // namespace

outcome<logs_result> systemd_journal::read(const std::string& unit, const log_query& query,
                                           const wait_limit& limit) {
  auto opened = open(scope_, folder_);
  if (!opened)
    return opened.error();
  auto* j = opened->get();
  sd_journal_set_data_threshold(j, max_log_line + 16);
  match(j, scope_, unit);
  const check_limits limits{limit.cancel,
                            std::min(limit.deadline, steady_clock::now() + query.wait)};
  if (query.wait.count() > 0)
    sd_journal_get_fd(j); // from here on nothing is missed
  logs_result result;
  result.cursor = query.cursor;
  if (auto done = seek(j, query); !done)
    return done.error();
  if (query.cursor.empty() && query.tail == 0)
    result.cursor = cursor_of(j);
  do
    if (auto done = read_on(j, result); !done)
      return done.error();
  while (result.lines.empty() && await_more(j, limits));
  if (limits.canceled())
    return {ec::canceled, "reading the journal was interrupted"};
  return result;
}

} // namespace harmony

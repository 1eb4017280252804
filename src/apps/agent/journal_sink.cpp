#include "apps/agent/journal_sink.hpp"

#include <array>

#include <sys/uio.h>
#include <unistd.h>

// The place in the source would be this file's.
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "model/ids.hpp"

namespace harmony {

namespace {

int priority_of(spdlog::level::level_enum level) {
  switch (level) {
  case spdlog::level::critical: return LOG_CRIT;
  case spdlog::level::err: return LOG_ERR;
  case spdlog::level::warn: return LOG_WARNING;
  case spdlog::level::info: return LOG_INFO;
  default: return LOG_DEBUG;
  }
}

iovec field(std::string& text) {
  return {text.data(), text.size()};
}

} // namespace

bool has_journal_socket() {
  return ::access("/run/systemd/journal/socket", W_OK) == 0;
}

std::string_view resource_in(std::string_view line) {
  for (auto open = line.find('\''); open != std::string_view::npos;) {
    const auto close = line.find('\'', open + 1);
    if (close == std::string_view::npos)
      break;
    const auto quoted = line.substr(open + 1, close - open - 1);
    if (resource_id id; parse_resource_id(quoted, id))
      return quoted;
    open = line.find('\'', close + 1);
  }
  return {};
}

void journal_sink::sink_it_(const spdlog::details::log_msg& line) {
  const std::string_view text{line.payload.data(), line.payload.size()};
  std::string message = "MESSAGE=" + std::string{text};
  std::string priority = "PRIORITY=" + std::to_string(priority_of(line.level));
  std::string identifier = "SYSLOG_IDENTIFIER=harmony-agent";
  std::string resource = "HARMONY_RESOURCE=" + std::string{resource_in(text)};
  const bool about_resource = resource.back() != '=';
  const std::array fields{field(message), field(priority), field(identifier), field(agent_),
                          field(resource)};
  (void)sd_journal_sendv(fields.data(), static_cast<int>(fields.size()) - (about_resource ? 0 : 1));
}

} // namespace harmony

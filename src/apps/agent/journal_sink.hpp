#pragma once

#include <string>
#include <string_view>

#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>

namespace harmony {

/// Whether journald takes entries on this machine.
bool has_journal_socket();

/// Sends each line to journald as an entry with fields: MESSAGE, PRIORITY, SYSLOG_IDENTIFIER,
/// HARMONY_AGENT, and HARMONY_RESOURCE where the line is about one. What journald does not take is
/// lost: there is nowhere to say so. For one thread.
class journal_sink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
public:
  explicit journal_sink(const std::string& agent) : agent_("HARMONY_AGENT=" + agent) {}

protected:
  void sink_it_(const spdlog::details::log_msg& line) override;
  void flush_() override {}

private:
  std::string agent_;
};

/// The first 'Kind/name' between quotes; empty: none. Lines quote what they speak of.
std::string_view resource_in(std::string_view line);

} // namespace harmony

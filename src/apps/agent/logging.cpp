#include "apps/agent/logging.hpp"

#include <cstdlib>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>
#include <spdlog/async.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "apps/agent/journal_sink.hpp"

namespace harmony {

namespace {

constexpr std::size_t queue_length = 256;

/// The message as a JSON string.
class json_message final : public spdlog::custom_flag_formatter {
public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    const std::string text{message.payload.data(), message.payload.size()};
    const auto quoted =
      nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    out.append(quoted.data(), quoted.data() + quoted.size());
  }

  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return spdlog::details::make_unique<json_message>();
  }
};

/// sd-daemon(3): the priority that journald reads from the beginning of a line.
class journal_priority final : public spdlog::custom_flag_formatter {
public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    const std::string_view prefix = message.level >= spdlog::level::err    ? "<3>"
                                    : message.level == spdlog::level::warn ? "<4>"
                                    : message.level == spdlog::level::info ? "<6>"
                                                                           : "<7>";
    out.append(prefix.data(), prefix.data() + prefix.size());
  }

  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return spdlog::details::make_unique<journal_priority>();
  }
};

std::unique_ptr<spdlog::formatter> make_formatter(log_format format) {
  auto result = std::make_unique<spdlog::pattern_formatter>();
  result->add_flag<json_message>('J').add_flag<journal_priority>('P');
  if (format == log_format::json)
    result->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","message":%J})");
  else if (std::getenv("JOURNAL_STREAM") != nullptr)
    result->set_pattern("%P%v");
  else
    result->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  return result;
}

/// Without journald, the journal's lines go where the others go.
std::shared_ptr<spdlog::sinks::sink> make_sink(const agent_options& options) {
  if (options.format == log_format::journal && has_journal_socket())
    return std::make_shared<journal_sink>(options.agent_id);
  return std::make_shared<spdlog::sinks::stderr_sink_mt>();
}

} // namespace

void start_logging(const agent_options& options) {
  spdlog::init_thread_pool(queue_length, 1);
  auto sink = make_sink(options);
  auto logger =
    std::make_shared<spdlog::async_logger>("harmony-agent", std::move(sink), spdlog::thread_pool(),
                                           spdlog::async_overflow_policy::overrun_oldest);
  logger->set_formatter(make_formatter(options.format));
  spdlog::set_default_logger(std::move(logger));
  set_log_level(options);
}

void set_log_level(const agent_options& options) {
  spdlog::set_level(
    spdlog::level::from_str(options.log_level == "warn" ? "warning" : options.log_level));
}

void end_logging() {
  spdlog::shutdown();
}

} // namespace harmony

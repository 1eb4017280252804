// logs.
#include <algorithm>
#include <ostream>

#include "apps/ctl/commands.hpp"

namespace harmony::ctl {

namespace {

/// How long the device waits for a line before it answers that there is none.
constexpr std::uint32_t follow_wait = 20;
constexpr milliseconds follow_timeout{(follow_wait + 5) * 1'000};
/// Between attempts while the device does not answer.
constexpr milliseconds retry_pause{1'000};

void print(const context& c, const log_line& line) {
  const auto time = format_time(line.at);
  switch (c.global.format) {
  case output_format::table: c.print(time + "  " + printable(line.text) + "\n"); return;
  case output_format::json:
    c.print(json{{"at", time}, {"text", line.text}}.dump(-1, ' ', false,
                                                         json::error_handler_t::replace)
            + "\n"); // one a line
    return;
  case output_format::yaml:
    c.print("---\n" + to_yaml(json{{"at", time}, {"text", line.text}}));
    return;
  }
}

/// Reads a log to its end, and on as long as somebody listens.
class log_reader {
public:
  log_reader(const context& c, store& from, const logs_options& o, std::stop_token stop)
    : c_(c), from_(from), o_(o), stop_(std::move(stop)) {
    next_.resource = o.resource;
    next_.tail = o.tail;
  }

  exit_code run() {
    // The newest lines may be more than one answer holds.
    for (auto left = std::max(o_.tail, std::uint32_t{1}); left > 0 && going();) {
      const auto got = read(c_.time.left());
      if (!got)
        return stop_.stop_requested() ? exit_code::ok : c_.fail(got.error());
      if (*got == 0)
        break;
      left -= std::min(left, *got);
    }
    next_.wait = follow_wait;
    while (o_.follow && going())
      if (const auto got = read(follow_timeout); !got && going())
        complain(got.error());
    return exit_code::ok;
  }

private:
  [[nodiscard]] bool going() const { return !stop_.stop_requested() && c_.env.out; }

  /// Prints what comes; gives how many lines.
  outcome<std::uint32_t> read(milliseconds timeout) {
    auto got = ask<logs_result>(from_, o_.agent, command_verb::logs, write_request(next_), timeout);
    if (!got)
      return got.error();
    for (const auto& line : got->lines)
      print(c_, line);
    next_.cursor = std::move(got->cursor);
    complained_.clear();
    return static_cast<std::uint32_t>(got->lines.size());
  }

  /// The device may be away for a while: says so once, and waits.
  void complain(const failure& why) {
    if (complained_ != why.message)
      c_.env.err << "warning: " << printable(why.message) << "\n" << std::flush;
    complained_ = why.message;
    signal interrupted;
    const std::stop_callback on_stop{stop_, [&] { interrupted.raise(); }};
    interrupted.wait_until(std::chrono::steady_clock::now() + retry_pause);
  }

  const context& c_;
  store& from_;
  const logs_options& o_;
  const std::stop_token stop_;
  logs_request next_;
  std::string complained_;
};

} // namespace

exit_code run(const context& c, const logs_options& o) {
  // Before the store starts its threads: they inherit the blocked signals.
  const auto stop = o.follow ? c.env.on_interrupt() : std::stop_token{};
  const auto from = c.connected();
  if (!from)
    return c.fail(from.error());
  // A request under way ends with its store.
  const std::stop_callback on_stop{stop, [link = *from] { link->close(); }};
  return log_reader{c, **from, o, stop}.run();
}

} // namespace harmony::ctl

#pragma once

#include <ostream>
#include <string>

#include "apps/ctl/printer.hpp"

namespace harmony::ctl {

/// One line on a terminal that is rewritten as things go on, and is gone at the end. Does nothing
/// elsewhere.
class progress_line {
public:
  progress_line(std::ostream& out, bool terminal) : out_(out), terminal_(terminal) {}
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;
  ~progress_line() { clear(); }

  void show(const std::string& text) {
    if (!terminal_)
      return;
    out_ << "\r\x1b[K" << printable(text) << std::flush;
    shown_ = true;
  }

  void clear() {
    if (shown_)
      out_ << "\r\x1b[K" << std::flush;
    shown_ = false;
  }

private:
  std::ostream& out_;
  bool terminal_;
  bool shown_ = false;
};

} // namespace harmony::ctl

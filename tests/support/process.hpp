#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <sys/types.h>
#include <vector>

#include "support/temp_dir.hpp"

namespace harmony::test {

struct run_result {
  int code = -1; ///< exit code; 128 and the signal's number for one that was killed
  std::string out, err;
};

/// One run of a program, its output in files of its own. Killed with this object if it still runs.
class process {
public:
  /// Starts it; `variables` is its whole environment. Throws std::runtime_error when it cannot.
  process(const std::vector<std::string>& command, const std::string& input,
          const std::map<std::string, std::string>& variables);
  ~process();
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  void signal(int number) const;
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Waits `patience` at most for its end; true if it has ended.
  [[nodiscard]] bool ended(std::chrono::milliseconds patience) const;
  /// Waits for its end, 30 s at most (then it is killed).
  run_result wait();
  /// Waits, 20 s at most, until its output has `text`; false if it never came.
  [[nodiscard]] bool printed(const std::string& text) const { return wrote("out", text); }
  /// The same of its standard error.
  [[nodiscard]] bool complained(const std::string& text) const { return wrote("err", text); }
  /// What it wrote to its standard error; also after its end.
  [[nodiscard]] std::string complaints() const { return read_file(folder_ / "err"); }

private:
  [[nodiscard]] bool wrote(const char* stream, const std::string& text) const;

  temp_dir folder_;
  pid_t pid_ = 0;
};

} // namespace harmony::test

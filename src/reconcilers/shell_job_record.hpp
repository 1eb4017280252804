#pragma once

// What the inventory remembers of a ShellJob's last run, and what that means.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "model/specs.hpp"
#include "model/status.hpp"
#include "reconcilers/reconciler.hpp"
#include "topology/systemd_transient.hpp"

namespace harmony {

/// Of standard output and standard error each, in a record and in a status.
constexpr std::size_t job_output_limit = 2048;

/// A run, or what came before it.
struct job_record {
  enum class stage {
    checking, ///< its guards are looked at; nothing ran yet
    running,  ///< it may have been started
    ended     ///< `result` and `state` say how
  };
  std::string desire;   ///< identity of revision and restart stamp: `job_desire`
  std::string revision; ///< for a person
  stage at = stage::checking;
  /// systemd's word for the end: "success", "exit-code", "signal", "timeout", …; or "skipped",
  /// "interrupted", "not-started".
  std::string result;
  job_state state;

  /// Whether it needs no other run.
  [[nodiscard]] bool settled() const {
    return at == stage::ended && (result == "success" || result == "skipped");
  }
  friend bool operator==(const job_record&, const job_record&) = default;
};

/// A record as a note of the inventory, and back; a note that is none gives nothing.
std::string write_job_record(const job_record& r);
std::optional<job_record> read_job_record(std::string_view note);

/// What a run is for: another revision or restart stamp is another one.
std::string job_desire(const desired<shell_job_spec>& want);

/// The record of a run of `want` that stands at `at`.
job_record begin_record(const desired<shell_job_spec>& want, job_record::stage at);

/// Notes how `run` ended.
void note_end(job_record& r, const transient_run& run);

/// Success, or why the run of `r`, which ended, was none: job_failed, or no_such_user.
outcome<void> verdict(const job_record& r, const shell_job_spec& spec, std::string_view unit);

/// Whether systemd could not come to run the command of `r`.
bool could_not_run(const job_record& r);

/// `bytes` as text: what is not UTF-8 becomes U+FFFD, and of the rest the last `most` bytes at the
/// end of a character.
std::string tail_as_text(std::string_view bytes, std::size_t most);

/// The last line of `text` that is not blank.
std::string_view last_line(std::string_view text);

} // namespace harmony

#include "reconcilers/shell_job_record.hpp"

#include <csignal>
#include <cstring>

#include <nlohmann/json.hpp>

#include "model/utf8.hpp"

namespace harmony {

namespace {

using nlohmann::json;
using stage = job_record::stage;

/// Exit statuses that systemd gives when it fails before the command runs.
constexpr int first_setup_status = 200;
constexpr int last_setup_status = 245;
constexpr int no_such_user = 217;

constexpr std::size_t shown_line = 200;
constexpr std::string_view replacement = "\xEF\xBF\xBD"; // U+FFFD

const char* name_of(stage s) {
  switch (s) {
  case stage::checking: return "checking";
  case stage::running: return "running";
  case stage::ended: break;
  }
  return "ended";
}

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// Why systemd did not come to run the command, by its exit status (systemd.exec(5), "Process exit
/// codes").
std::string setup_failure(int status, const shell_job_spec& spec) {
  switch (status) {
  case 200: return "the folder '" + spec.working_dir + "' (workingDir) cannot be entered";
  case 203:
    return "'" + spec.command.front()
           + "' cannot be executed: it is missing, not executable, or out of the job's sight";
  case no_such_user: return "there is no user '" + spec.user + "' on this device";
  case 226: return "its sandbox cannot be made: does each path of writablePaths exist?";
  default: return "systemd could not run '" + spec.command.front() + "'";
  }
}

std::string ending(const job_record& r, const shell_job_spec& spec) {
  if (r.result == "timeout")
    return "did not end within " + std::to_string(spec.timeout)
           + " s (timeoutSeconds) and was killed";
  if (r.result == "oom-kill")
    return "needed more than its memory and was killed";
  if (!r.state.signal.empty())
    return "was killed by signal " + r.state.signal;
  if (r.state.exit_code)
    return "ended with exit status " + std::to_string(*r.state.exit_code);
  return "was not run: " + r.result;
}

} // namespace

std::string write_job_record(const job_record& r) {
  json j{{"desire", r.desire}, {"revision", r.revision}, {"stage", name_of(r.at)}};
  const auto put = [&](const char* key, const std::string& value) {
    if (!value.empty())
      j[key] = value;
  };
  put("result", r.result);
  put("skipped", r.state.skipped);
  if (r.state.exit_code)
    j["exitCode"] = *r.state.exit_code;
  put("signal", r.state.signal);
  put("started", r.state.started);
  put("finished", r.state.finished);
  put("stdout", r.state.standard_output);
  put("stderr", r.state.standard_error);
  return j.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<job_record> read_job_record(std::string_view note) {
  const auto j = json::parse(note, nullptr, false);
  if (!j.is_object())
    return {};
  const auto text = [&](const char* key) {
    const auto found = j.find(key);
    return found != j.end() && found->is_string() ? found->get<std::string>() : std::string{};
  };
  job_record r;
  r.desire = text("desire");
  r.revision = text("revision");
  const auto at = text("stage");
  for (const auto each : {stage::checking, stage::running, stage::ended})
    if (at == name_of(each))
      r.at = each;
  r.result = text("result");
  r.state.skipped = text("skipped");
  if (const auto code = j.find("exitCode"); code != j.end() && code->is_number_integer())
    r.state.exit_code = code->get<std::int32_t>();
  r.state.signal = text("signal");
  r.state.started = text("started");
  r.state.finished = text("finished");
  r.state.standard_output = text("stdout");
  r.state.standard_error = text("stderr");
  return r;
}

std::string job_desire(const desired<shell_job_spec>& want) {
  return sha256_hex(want.revision + "\n" + want.restart_stamp).substr(0, 32);
}

job_record begin_record(const desired<shell_job_spec>& want, stage at) {
  return {job_desire(want), want.revision, at, {}, {}};
}

void note_end(job_record& r, const transient_run& run) {
  r.at = stage::ended;
  r.result = run.result.result;
  if (r.result == "success" && run.active_state != "active")
    r.result = "interrupted"; // stopped by somebody
  if (run.result.code == CLD_EXITED) {
    r.state.exit_code = run.result.status;
  } else if (run.result.code == CLD_KILLED || run.result.code == CLD_DUMPED) {
    const char* name = ::sigabbrev_np(run.result.status);
    r.state.signal = name == nullptr ? std::to_string(run.result.status) : name;
  }
  if (run.started)
    r.state.started = format_time(*run.started);
  if (run.ended)
    r.state.finished = format_time(*run.ended);
}

bool could_not_run(const job_record& r) {
  // A command that said something was run, whatever its exit status.
  const bool silent = r.state.standard_output.empty() && r.state.standard_error.empty();
  return r.result == "exit-code" && silent && r.state.exit_code
         && *r.state.exit_code >= first_setup_status && *r.state.exit_code <= last_setup_status;
}

outcome<void> verdict(const job_record& r, const shell_job_spec& spec, std::string_view unit) {
  if (r.settled())
    return {};
  const auto log = "; see journalctl -u " + std::string{unit};
  if (r.result == "interrupted")
    return {ec::job_failed,
            "the run was interrupted: the device was restarted, or somebody stopped "
              + std::string{unit} + "; it is made again"};
  if (could_not_run(r)) {
    const auto status = *r.state.exit_code;
    return {status == no_such_user && !spec.user.empty() ? ec::no_such_user : ec::job_failed,
            setup_failure(status, spec) + " (exit status " + std::to_string(status) + ")" + log};
  }
  auto message = "'" + spec.command.front() + "' " + ending(r, spec);
  const auto line = last_line(r.state.standard_error);
  if (!line.empty())
    message += "; its last words: '" + tail_as_text(line, shown_line) + "'";
  return {ec::job_failed, message + log};
}

std::string tail_as_text(std::string_view bytes, std::size_t most) {
  // A character that was cut in two.
  for (std::size_t i = 0; i < 3 && !bytes.empty() && continues(bytes.front()); ++i)
    bytes.remove_prefix(1);
  std::string text;
  while (!bytes.empty()) {
    // No text of a document may hold a NUL.
    const auto length = bytes.front() == '\0' ? 0 : utf8_length(bytes);
    text += length == 0 ? replacement : bytes.substr(0, length);
    bytes.remove_prefix(length == 0 ? 1 : length);
  }
  if (text.size() <= most)
    return text;
  auto begin = text.size() - most;
  while (begin < text.size() && continues(text[begin]))
    ++begin;
  return text.substr(begin);
}

std::string_view last_line(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  const auto end = text.find_last_not_of(blank);
  if (end == std::string_view::npos)
    return {};
  text = text.substr(0, end + 1);
  const auto begin = text.find_last_of('\n');
  return begin == std::string_view::npos ? text : text.substr(begin + 1);
}

} // namespace harmony

#include "apps/agent/connection_note.hpp"

#include <unistd.h>

#include "identity/secret_file.hpp"

namespace harmony {

namespace {

std::string file_in(const std::string& state_dir) {
  return state_dir + "/not-connected";
}

} // namespace

void connection_note::changed(bool connected, const std::string& detail) {
  const auto file = file_in(state_dir_);
  if (connected) {
    outage_.reset();
    ::unlink(file.c_str());
    return;
  }
  if (!outage_)
    outage_ = outage{clock_(), detail};
  auto text =
    "not connected to the store since " + format_time(outage_->since) + ": " + outage_->first;
  if (detail != outage_->first)
    text += "; now: " + detail;
  [[maybe_unused]] const auto kept = replace_file(file, text + "\n"); // the log says it too
}

std::string read_connection_note(const std::string& state_dir) {
  const auto text = read_text_file(file_in(state_dir));
  return text ? *text : std::string{};
}

} // namespace harmony

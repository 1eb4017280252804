#include "core/shorten.hpp"

#include "core/summary.hpp"

namespace harmony {

namespace {

constexpr std::size_t message_bytes = 80;

/// The first bytes of `text`, no character torn apart.
void cut(std::string& text) {
  if (text.size() <= message_bytes)
    return;
  auto end = message_bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end;
  text.resize(end);
  text += "…";
}

void shorten(resource_status& r, unsigned level) {
  if (auto* job = std::get_if<job_state>(&r.state)) {
    job->standard_output.clear();
    job->standard_error.clear();
  }
  if (level >= 2)
    r.state = std::monostate{};
  if (level >= 3)
    cut(r.message);
  if (level >= 4)
    r = {.phase = r.phase, .reason = std::move(r.reason), .message = std::move(r.message)};
}

std::string left_out(unsigned level) {
  std::string text = "the output of jobs";
  if (level >= 2)
    text = "what was observed of each resource";
  if (level >= 3)
    text += ", the ends of messages";
  if (level >= 4)
    text += ", revisions, times and counts";
  return text;
}

} // namespace

agent_status shortened(agent_status s, unsigned level, timestamp now) {
  if (level == 0)
    return s;
  for (auto& [id, r] : s.resources)
    shorten(r, level);
  set_condition(s.conditions,
                {"StatusShortened", condition_state::true_, "DocumentTooLarge",
                 "the store does not take the whole status; left out: " + left_out(level)
                   + "; 'harmony-agent status' on the device has it, and a larger "
                     "max_payload of the server takes it",
                 now});
  return s;
}

} // namespace harmony

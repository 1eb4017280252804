#include "guard/message.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "guard/words.hpp"

namespace harmony::guard {

namespace {

constexpr std::array phases{phase::stopped, phase::standby, phase::primary, phase::stopping,
                            phase::killing};
constexpr std::array endings{ending::none, ending::stopped, ending::exited, ending::deadline,
                             ending::unlicensed};
constexpr std::array refusals{refusal::none,        refusal::stale_epoch,   refusal::past,
                              refusal::not_later,   refusal::too_far,       refusal::no_lease,
                              refusal::running,     refusal::not_standby,   refusal::writable,
                              refusal::leaving,     refusal::cannot_start,  refusal::busy,
                              refusal::not_allowed, refusal::unintelligible};

std::string_view word_of(report::kind k) {
  switch (k) {
  case report::kind::hello: return "hello";
  case report::kind::ok: return "ok";
  case report::kind::refused: return "refused";
  case report::kind::changed: break;
  }
  return "changed";
}

constexpr std::array kinds{report::kind::hello, report::kind::ok, report::kind::refused,
                           report::kind::changed};

/// Sets `to` to the value that `word` stands for; false where there is none.
template <class Values, class T>
bool read_word(const Values& values, std::string_view word, T& to) {
  const auto it =
    std::find_if(values.begin(), values.end(), [&](T value) { return word_of(value) == word; });
  if (it == values.end())
    return false;
  to = *it;
  return true;
}

bool read_time(std::string_view text, boot_time& to) {
  boot_time::rep count = 0;
  if (!read_number(text, count) || count < 0)
    return false;
  to = boot_time{count};
  return true;
}

struct request_writer {
  std::string operator()(const arm& a) const {
    return "arm " + std::to_string(a.epoch) + " " + std::to_string(a.deadline.count());
  }
  std::string operator()(const start& a) const {
    return a.primary ? "start primary" : "start standby";
  }
  std::string operator()(const promote&) const { return "promote"; }
  std::string operator()(const stop&) const { return "stop"; }
  std::string operator()(const release&) const { return "release"; }
  std::string operator()(const status&) const { return "status"; }
};

bool read_field(std::string_view key, std::string_view value, report& r) {
  if (key == "state")
    return read_word(phases, value, r.now);
  if (key == "pid")
    return read_number(value, r.pid);
  if (key == "epoch")
    return read_number(value, r.epoch);
  if (key == "deadline")
    return read_time(value, r.deadline);
  if (key == "ended")
    return read_word(endings, value, r.ended);
  if (key == "code")
    return read_number(value, r.code);
  return true; // of a newer guard
}

} // namespace

std::string write_request(const request& r) {
  return std::visit(request_writer{}, r);
}

/// There is one way to write each.
std::optional<request> read_request(std::string_view text) {
  auto rest = text;
  arm a;
  std::vector<request> possible{start{false}, start{true}, promote{}, stop{}, release{}, status{}};
  if (next_word(rest) == "arm" && read_number(next_word(rest), a.epoch)
      && read_time(next_word(rest), a.deadline))
    possible.emplace_back(a);
  for (const auto& each : possible)
    if (write_request(each) == text)
      return each;
  return std::nullopt;
}

std::string write_report(const report& r) {
  std::string text{word_of(r.what)};
  if (r.what == report::kind::refused)
    text.append(" ").append(word_of(r.why));
  text.append(" state=").append(word_of(r.now));
  text.append(" pid=").append(std::to_string(r.pid));
  text.append(" epoch=").append(std::to_string(r.epoch));
  text.append(" deadline=").append(std::to_string(r.deadline.count()));
  text.append(" ended=").append(word_of(r.ended));
  text.append(" code=").append(std::to_string(r.code));
  if (!r.text.empty())
    text.append(" text=").append(r.text);
  text.resize(std::min(text.size(), longest_message));
  return text;
}

std::optional<report> read_report(std::string_view text) {
  report r;
  if (!read_word(kinds, next_word(text), r.what))
    return std::nullopt;
  if (r.what == report::kind::refused && !read_word(refusals, next_word(text), r.why))
    return std::nullopt;
  while (!text.empty()) {
    constexpr std::string_view free_text = "text=";
    if (text.substr(0, free_text.size()) == free_text) {
      r.text = text.substr(free_text.size());
      break;
    }
    const auto word = next_word(text);
    const auto equals = word.find('=');
    if (equals == std::string_view::npos
        || !read_field(word.substr(0, equals), word.substr(equals + 1), r))
      return std::nullopt;
  }
  return r;
}

} // namespace harmony::guard

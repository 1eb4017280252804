// The guard's machine as a table, which stands in its page.

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <vector>

#include "guard/machine.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

using namespace harmony::guard;
using namespace std::chrono_literals;

constexpr boot_time now = 100s;
const char* const page = HARMONY_SOURCE_DIR "/docs/reconcilers/postgres-guard.md";
constexpr std::string_view begin_mark = "<!-- table: made by unit_guard -->\n";
constexpr std::string_view end_mark = "<!-- end of table -->";

struct situation {
  const char* name;
  phase at;
  bool writable;
};

const std::vector<situation> situations{
  {"stopped", phase::stopped, false},          {"standby", phase::standby, false},
  {"primary", phase::primary, true},           {"stopping standby", phase::stopping, false},
  {"stopping primary", phase::stopping, true}, {"killing", phase::killing, true},
};

const std::vector<std::pair<const char*, event>> events{
  {"arm, later deadline", arm{7, now + 9s}},
  {"arm, earlier deadline", arm{7, now + 1s}},
  {"arm, deadline past", arm{7, now}},
  {"arm, over 5 min away", arm{7, now + 301s}},
  {"arm, lower epoch", arm{6, now + 9s}},
  {"start standby", start{false}},
  {"start primary", start{true}},
  {"promote", promote{}},
  {"stop", stop{}},
  {"release", release{}},
  {"status", status{}},
  {"start failed", launch_failed{}},
  {"promote failed", promote_failed{}},
  {"postmaster ended", postmaster_ended{}},
  {"no process is left", tree_emptied{}},
  {"promoted by somebody", promotion_seen{}},
  {"guard told to end", terminated{}},
  {"time passes", time_passed{}},
};

std::string_view word_of(effect e) {
  switch (e) {
  case effect::none: return "";
  case effect::launch_standby:
  case effect::launch_primary: return "launch";
  case effect::tell_promote: return "tell it";
  case effect::tell_stop: return "fast stop";
  case effect::kill_tree: return "kill";
  case effect::settle: return "settle";
  case effect::leave: break;
  }
  return "leave";
}

/// What changes, and what is done: "**killing** deadline: kill".
std::string cell(const state& s, const event& e) {
  const auto d = step(s, e, now);
  if (d.refused != refusal::none && d.act == effect::none)
    return std::string{word_of(d.refused)};
  std::string text;
  const auto add = [&](const std::string& more) { text += (text.empty() ? "" : " ") + more; };
  if (d.next.now != s.now)
    add("**" + std::string{word_of(d.next.now)} + "**");
  else if (d.next.writable != s.writable)
    add("may write");
  if (d.next.ended != s.ended)
    add(std::string{word_of(d.next.ended)});
  if (d.next.deadline != s.deadline)
    add(d.next.deadline.count() == 0 ? "no deadline" : "extended");
  if (d.next.leaving && !s.leaving)
    add("leaving");
  if (d.act != effect::none)
    text += (text.empty() ? "" : ": ") + std::string{word_of(d.act)};
  if (d.refused != refusal::none)
    text += "; " + std::string{word_of(d.refused)};
  return text.empty() ? "-" : text;
}

void write_table(std::ostream& out, const char* title, boot_time deadline) {
  out << "\n### " << title << "\n\n|";
  for (const auto& each : situations)
    out << " | " << each.name;
  out << " |\n|---";
  for (std::size_t i = 0; i < situations.size(); ++i)
    out << "|---";
  out << "|\n";
  for (const auto& [name, e] : events) {
    out << "| " << name;
    for (const auto& each : situations) {
      state s;
      s.now = each.at;
      s.writable = each.writable;
      s.epoch = 7;
      s.deadline = deadline;
      out << " | " << cell(s, e);
    }
    out << " |\n";
  }
}

std::string table() {
  std::ostringstream out;
  write_table(out, "While the lease lives", now + 5s);
  write_table(out, "Once the deadline has passed", now);
  out << "\n";
  return out.str();
}

TEST_CASE("guard machine: the table in its page -> what the code does") {
  std::ifstream in{page};
  std::string text{std::istreambuf_iterator<char>{in}, {}};
  const auto begin = text.find(begin_mark);
  const auto end = text.find(end_mark);
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);
  const auto from = begin + begin_mark.size();
  const auto expected = table();
  if (std::getenv("HARMONY_UPDATE_DOCS") != nullptr) {
    text.replace(from, end - from, expected);
    std::ofstream{page} << text;
    return;
  }
  INFO("docs/reconcilers/postgres-guard.md differs from src/guard/machine.cpp. If the code is "
       "right, run\n  HARMONY_UPDATE_DOCS=1 build/dev/bin/unit_guard 'guard machine: the table*'\n"
       "and read the difference. The table is now:\n"
       << expected);
  CHECK(text.substr(from, end - from) == expected);
}

} // namespace

} // namespace harmony::test

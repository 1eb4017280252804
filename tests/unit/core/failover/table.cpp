// The whole failover machine as a table, and its refusals, in docs/reconcilers/postgres-cluster.md
// between marks. Made from the code here, so that a change of either shows.

#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <sstream>

#include "support/catch.hpp"
#include "unit/core/failover/rig.hpp"

namespace harmony::failover::test {

namespace {

using namespace std::chrono_literals;

constexpr const char* page = HARMONY_SOURCE_DIR "/docs/reconcilers/postgres-cluster.md";

struct situation {
  std::string name;
  rig machine;
};

struct row {
  std::string name;
  std::function<void(rig&)> happens;
};

template <class F>
rig given(rig m, F&& lead_there) {
  lead_there(m);
  return m;
}

std::vector<situation> situations() {
  return {
    {"the store is not reached", given(follower(), [](rig& m) { m.on(ev::disconnected{}); })},
    {"streams, the primary renews", follower()},
    {"the record is silent", given(follower(), [](rig& m) { m.wait(3400ms); })},
    {"its walreceiver ends", freezer()},
    {"another has not reported", elector()},
    {"its claim is under way", claimer()},
    {"PostgreSQL is being promoted", promoter()},
    {"promoted, tells the store", given(promoter(),
                                        [](rig& m) {
                                          m.done();
                                          m.sees(primary());
                                        })},
    {"in order", holder()},
    {"a renewal is under way", given(holder(), [](rig& m) { m.wait(500ms); })},
    {"must read first", given(holder(),
                              [](rig& m) {
                                m.wait(500ms);
                                m.answers = false;
                                m.on(ev::request_failed{m.state.request->number});
                                m.wait(200ms);
                              })},
    {"PostgreSQL stops", given(holder(),
                               [](rig& m) {
                                 m.on(ev::guard{false, {}});
                               })},
    {"tells the store", given(holder(),
                              [](rig& m) {
                                m.on(ev::guard{false, {}});
                                m.done();
                                m.sees(stopped());
                              })},
    {"PostgreSQL stops", given(holder(),
                               [](rig& m) {
                                 m.answers = false;
                                 m.on(ev::disconnected{});
                                 m.wait(1600ms);
                               })},
  };
}

lease_record newer(const rig& m, lease_state state) {
  auto r = m.record.value_or(record_of_a());
  r.epoch = 20;
  r.holder = "a";
  r.incarnation = "a-2";
  r.state = state;
  return r;
}

std::vector<row> rows() {
  return {
    {"100 ms go by",
     [](rig& m) {
       m.now += 100ms;
       m.on(ev::tick{});
     }},
    {"2 s go by without a sign",
     [](rig& m) {
       m.now += 2s;
       m.on(ev::tick{});
     }},
    {"connected anew",
     [](rig& m) {
       m.on(ev::connected{9, "other"});
     }},
    {"disconnected", [](rig& m) { m.on(ev::disconnected{}); }},
    {"record seen: a newer claim is held", [](rig& m) { m.holds(newer(m, lease_state::held)); }},
    {"record seen: a newer claim is released",
     [](rig& m) { m.holds(newer(m, lease_state::released)); }},
    {"read: unchanged",
     [](rig& m) {
       m.on(ev::record_read{m.state.requests, m.sequence, m.record});
     }},
    {"read: a newer claim",
     [](rig& m) {
       m.on(ev::record_read{m.state.requests, m.sequence + 3, newer(m, lease_state::held)});
     }},
    {"CAS done",
     [](rig& m) {
       m.on(ev::cas_done{m.state.requests, m.sequence + 1});
     }},
    {"CAS: wrong sequence", [](rig& m) { m.on(ev::cas_wrong_sequence{m.state.requests}); }},
    {"CAS or read: no answer", [](rig& m) { m.on(ev::request_failed{m.state.requests}); }},
    {"an answer to an older request",
     [](rig& m) {
       m.on(ev::cas_done{m.state.requests - 1, 99});
     }},
    {"operation over, PostgreSQL streams",
     [](rig& m) {
       m.done();
       m.sees(streaming());
     }},
    {"operation over, a standby alone",
     [](rig& m) {
       m.done();
       m.sees(alone());
     }},
    {"operation over, writable",
     [](rig& m) {
       m.done();
       m.sees(primary());
     }},
    {"operation over, PostgreSQL is down",
     [](rig& m) {
       m.done();
       m.sees(stopped());
     }},
    {"operation failed", [](rig& m) { m.done(false); }},
    {"the guard does not answer",
     [](rig& m) {
       m.on(ev::guard{false, {}});
     }},
    {"switchover",
     [](rig& m) {
       m.beat(beat_of("c", 11));
       m.beat(beat_of("c", 12));
       m.on(ev::command{{"1", command_kind::switchover, "", false, "ann"}});
     }},
    {"failover, data loss allowed",
     [](rig& m) {
       m.on(ev::command{{"1", command_kind::failover, "b", true, "ann"}});
     }},
    {"reinit",
     [](rig& m) {
       for (const auto n : {11, 12}) {
         auto of_a = beat_of("a", n);
         of_a.role = member_role::primary;
         m.beat(of_a);
       }
       m.on(ev::command{{"1", command_kind::reinit, "b", false, "ann"}});
     }},
    {"pause",
     [](rig& m) {
       m.on(ev::command{{"1", command_kind::pause, "", false, "ann"}});
     }},
    {"the agent ends", [](rig& m) { m.on(ev::shutdown{}); }},
  };
}

/// "**Promoting**: arm guard" where the phase changes.
std::string cell(rig m, const row& r) {
  m.answers = false;
  m.actions.clear();
  const auto before = m.state;
  r.happens(m);
  const auto all = m.text();
  const auto colon = all.find(": ");
  auto what = colon == std::string::npos ? "" : all.substr(colon + 2);
  if (before.at != m.state.at)
    return "**" + std::string{word_of(m.state.at)} + "**" + (what.empty() ? "" : ": ") + what;
  return what;
}

std::string machine_table() {
  std::ostringstream out;
  const auto all = situations();
  for (std::size_t i = 0; i < all.size();) {
    auto end = i;
    while (end < all.size() && all[end].machine.state.at == all[i].machine.state.at)
      ++end;
    out << "\n### " << word_of(all[i].machine.state.at) << "\n\n| event |";
    for (auto c = i; c < end; ++c)
      out << " " << all[c].name << " |";
    out << "\n|---|";
    for (auto c = i; c < end; ++c)
      out << "---|";
    out << "\n";
    std::string nothing;
    for (const auto& r : rows()) {
      std::string line = "| " + r.name + " |";
      bool any = false;
      for (auto c = i; c < end; ++c) {
        const auto content = cell(all[c].machine, r);
        any = any || !content.empty();
        line += " " + (content.empty() ? "–" : content) + " |";
      }
      if (any)
        out << line << "\n";
      else
        nothing += (nothing.empty() ? "" : "; ") + r.name;
    }
    out << "\nNothing is asked for: " << (nothing.empty() ? "–" : nothing) << ".\n";
    i = end;
  }
  out << "\n";
  return out.str();
}

std::string refusal_table() {
  std::ostringstream out;
  out
    << "\n| reason | meaning, and what to do | `--allow-data-loss` goes over it |\n|---|---|---|\n";
  for (int i = 1; i <= static_cast<int>(refusal::outranked); ++i) {
    const auto r = static_cast<refusal>(i);
    out << "| `" << word_of(r) << "` | " << text_of(r) << " | " << (may_override(r) ? "yes" : "no")
        << " |\n";
  }
  out << "\n";
  return out.str();
}

/// What stands between the marks of that name is `expected`; or is made so.
void hold(const std::string& name, const std::string& expected) {
  std::ifstream in{page};
  std::string text{std::istreambuf_iterator<char>{in}, {}};
  const auto begin_mark = "<!-- " + name + ": made by unit_failover, do not edit -->\n";
  const auto begin = text.find(begin_mark);
  const auto end = text.find("<!-- end of " + name + " -->\n");
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);
  const auto from = begin + begin_mark.size();
  if (std::getenv("HARMONY_UPDATE_DOCS") != nullptr) {
    text.replace(from, end - from, expected);
    std::ofstream{page} << text;
    return;
  }
  INFO("docs/reconcilers/postgres-cluster.md differs from src/core/failover. If the code is right, "
       "run\n  HARMONY_UPDATE_DOCS=1 build/dev/bin/unit_failover '*in the page*'\n"
       "and read the difference. It is now:\n"
       << expected);
  CHECK(text.substr(from, end - from) == expected);
}

TEST_CASE("failover: the table in the page -> what the code does") {
  hold("machine", machine_table());
}

TEST_CASE("failover: the refusals in the page -> those of the code") {
  hold("refusals", refusal_table());
}

TEST_CASE("failover: the table -> has every phase") {
  std::vector<bool> seen(static_cast<std::size_t>(phase::demoting) + 1);
  for (const auto& each : situations())
    seen[static_cast<std::size_t>(each.machine.state.at)] = true;
  for (std::size_t p = 0; p < seen.size(); ++p) {
    INFO(word_of(static_cast<phase>(p)));
    CHECK(seen[p]);
  }
}

} // namespace

} // namespace harmony::failover::test

// The whole lifecycle machine as a table, in docs/lifecycle.md between two marks. Made from the
// code here, so that a change of either shows.

#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <sstream>

#include "core/lifecycle.hpp"
#include "support/catch.hpp"
#include "unit/core/rig.hpp"

namespace harmony::test {

namespace {

constexpr const char* page = HARMONY_SOURCE_DIR "/docs/lifecycle.md";
constexpr const char* begin_mark = "<!-- table: made by unit_core, do not edit -->\n";
constexpr const char* end_mark = "<!-- end of table -->\n";

/// A representative state of a phase.
struct situation {
  std::string name;
  rig machine;
};

struct row {
  std::string name;
  std::function<lifecycle_event(const rig&)> event;
};

template <class F>
situation given(std::string name, rig m, F&& lead_there) {
  lead_there(m);
  return {std::move(name), std::move(m)};
}

situation given(std::string name, rig m) {
  return {std::move(name), std::move(m)};
}

/// Ready after one repaired drift, so that the next one must wait.
rig drifted_once() {
  auto m = ready_rig("p");
  m.on(ev::hint{});
  m.differs();
  m.applied();
  m.equal();
  m.on(ev::probed{ev::verdict::ready, ""});
  m.on(ev::hint{});
  return m;
}

std::vector<situation> early_situations() {
  return {
    given("no desire yet", rig{}),
    given("an interrupted apply has to answer", rig{},
          [](rig& m) {
            m.on(want("a", "p"));
            m.differs();
            m.on(want("b", "p"));
          }),
    given("", rig{}, [](rig& m) { m.on(want("a", "p", "File/x")); }),
    given("looks", rig{}, [](rig& m) { m.on(want("a", "p")); }),
    given("was blocked, waits for its backoff", rig{},
          [](rig& m) {
            m.on(want("a", "p"));
            m.differs();
            m.on(needs("File/x"));
            m.apply_failed();
            m.on(ev::hint{});
            m.differs();
            m.on(needs(""));
            m.differs();
          }),
    given("applies", rig{},
          [](rig& m) {
            m.on(want("a", "p"));
            m.differs();
          }),
    given("looks at what the apply did", rig{},
          [](rig& m) {
            m.on(want("a", "p"));
            m.differs();
            m.applied();
          }),
    given("probes run", rig{},
          [](rig& m) {
            m.on(want("a", "p"));
            m.equal();
          }),
    given("probes run, looks", rig{},
          [](rig& m) {
            m.on(want("a", "p"));
            m.equal();
            m.on(ev::hint{});
          }),
  };
}

std::vector<situation> late_situations() {
  return {
    given("", ready_rig("p")),
    given("looks", ready_rig("p"), [](rig& m) { m.on(ev::hint{}); }),
    given("a look failed, waits for the next", ready_rig("p"),
          [](rig& m) {
            m.on(ev::hint{});
            m.unseen();
          }),
    given("waits for its backoff", drifted_once(), [](rig& m) { m.differs(); }),
    given("waits for the end of a hold", ready_rig("p"),
          [](rig& m) {
            m.on(ev::held{m.context.now + std::chrono::hours{1}, "asked for"});
            m.on(ev::hint{});
            m.differs();
          }),
    given("looks", drifted_once(),
          [](rig& m) {
            m.differs();
            m.fire();
          }),
    given("waits for its backoff", rig{},
          [](rig& m) {
            m.on(want("a", "p"));
            m.differs();
            m.apply_failed();
          }),
    given("looks", rig{},
          [](rig& m) {
            m.on(want("a", "p"));
            m.differs();
            m.apply_failed();
            m.fire();
          }),
    given("removes", ready_rig("p"), [](rig& m) { m.on(ev::remove{}); }),
    given("an interrupted apply has to answer", rig{},
          [](rig& m) {
            m.on(want("a", "p"));
            m.differs();
            m.on(ev::remove{});
          }),
    given("waits for its backoff", ready_rig("p"),
          [](rig& m) {
            m.on(ev::remove{});
            m.on(ev::remove_failed{m.state.operation, {ec::io_error, "busy"}});
          }),
    given("", ready_rig("p"),
          [](rig& m) {
            m.on(ev::remove{});
            m.on(ev::removed{m.state.operation});
          }),
    given("", ready_rig("p"),
          [](rig& m) {
            m.on(ev::rejected{{ec::invalid_spec, "no"}});
          }),
    given("an interrupted apply has to answer", rig{},
          [](rig& m) {
            m.on(want("a", "p"));
            m.differs();
            m.on(ev::rejected{{ec::invalid_spec, "no"}});
          }),
  };
}

std::vector<row> rows() {
  const failure gone{ec::runtime_unavailable, "no answer"};
  const failure denied{ec::permission_denied, "denied"};
  const auto same = [](const rig& m) { return m.state.desire.empty() ? "a" : m.state.desire; };
  return {
    {"desired, new", [](const rig&) { return want("z", "p"); }},
    {"desired, new, dependency not ready", [](const rig&) { return want("z", "p", "File/y"); }},
    {"desired, the same", [=](const rig& m) { return want(same(m), "p"); }},
    {"desired, other probes", [=](const rig& m) { return want(same(m), "q"); }},
    {"dependencies ready", [](const rig&) { return needs(""); }},
    {"dependencies not ready", [](const rig&) { return needs("File/y"); }},
    {"rejected", [=](const rig&) { return ev::rejected{denied}; }},
    {"remove", [](const rig&) { return ev::remove{}; }},
    {"observed: equal",
     [](const rig& m) {
       return ev::observed{m.state.operation, {}, {}};
     }},
    {"observed: differs",
     [](const rig& m) {
       return ev::observed{m.state.operation, {{action::update, "content", "", ""}}, {}};
     }},
    {"observed: obstacle",
     [=](const rig& m) {
       return ev::observed{m.state.operation, {}, denied};
     }},
    {"observe failed, may pass",
     [=](const rig& m) {
       return ev::observe_failed{m.state.operation, gone};
     }},
    {"observe failed, other",
     [=](const rig& m) {
       return ev::observe_failed{m.state.operation, denied};
     }},
    {"applied", [](const rig& m) { return ev::applied{m.state.operation}; }},
    {"apply failed",
     [=](const rig& m) {
       return ev::apply_failed{m.state.operation, denied};
     }},
    {"removed", [](const rig& m) { return ev::removed{m.state.operation}; }},
    {"remove failed",
     [=](const rig& m) {
       return ev::remove_failed{m.state.operation, denied};
     }},
    {"late answer",
     [](const rig& m) {
       return ev::observed{m.state.operation - 1, {}, {}};
     }},
    {"hint", [](const rig&) { return ev::hint{}; }},
    {"timer", [](const rig& m) { return ev::timer{m.state.timer_epoch}; }},
    {"timer, replaced", [](const rig& m) { return ev::timer{m.state.timer_epoch - 1}; }},
    {"probed: ready",
     [](const rig&) {
       return ev::probed{ev::verdict::ready, ""};
     }},
    {"probed: not ready",
     [](const rig&) {
       return ev::probed{ev::verdict::not_ready, "503"};
     }},
    {"probed: dead",
     [](const rig&) {
       return ev::probed{ev::verdict::dead, "hangs"};
     }},
    {"restart", [](const rig&) { return ev::restart{"asked for"}; }},
    {"held",
     [](const rig& m) {
       return ev::held{m.context.now + std::chrono::hours{1}, "asked for"};
     }},
    {"released", [](const rig&) { return ev::held{}; }},
  };
}

/// "**Applying**: apply" where the phase changes, "observe" where it does not, "noted" where only
/// the machine's memory does, nothing where nothing does.
std::string cell(rig m, const row& r) {
  const auto before = m.state;
  const auto e = r.event(m);
  if (std::holds_alternative<ev::timer>(e) && m.state.next_retry)
    m.context.now = *m.state.next_retry;
  m.on(e);
  std::string effects;
  for (const auto& each : m.effects) {
    if (std::holds_alternative<fx::publish>(each))
      continue;
    const auto name = text(each, m.context.now);
    effects += (effects.empty() ? "" : ", ") + name.substr(0, name.find_first_of("#+("));
  }
  if (before.phase != m.state.phase)
    return "**" + text(m.state.phase) + "**" + (effects.empty() ? "" : ": ") + effects;
  if (effects.empty())
    return before == m.state ? "" : "noted";
  return effects;
}

void write_phase(std::ostream& out, const std::vector<situation>& columns) {
  out << "### " << text(columns.front().machine.state.phase) << "\n\n";
  std::string head = "| event |";
  std::string rule = "|---|";
  for (const auto& c : columns) {
    head += " " + c.name + " |";
    rule += "---|";
  }
  std::string body;
  std::string nothing;
  for (const auto& r : rows()) {
    std::string line = "| " + r.name + " |";
    bool any = false;
    for (const auto& c : columns) {
      const auto content = cell(c.machine, r);
      any = any || !content.empty();
      line += " " + (content.empty() ? "–" : content) + " |";
    }
    if (any)
      body += line + "\n";
    else
      nothing += (nothing.empty() ? "" : "; ") + r.name;
  }
  if (!body.empty())
    out << head << "\n" << rule << "\n" << body << "\n";
  out << "Nothing: " << nothing << ".\n\n";
}

std::string table() {
  auto all = early_situations();
  for (auto& each : late_situations())
    all.push_back(std::move(each));
  std::ostringstream out;
  out << "\n";
  std::vector<situation> columns;
  for (auto& each : all) {
    if (!columns.empty() && columns.front().machine.state.phase != each.machine.state.phase) {
      write_phase(out, columns);
      columns.clear();
    }
    columns.push_back(std::move(each));
  }
  write_phase(out, columns);
  return out.str();
}

std::string read_page() {
  std::ifstream in{page};
  return {std::istreambuf_iterator<char>{in}, {}};
}

TEST_CASE("lifecycle: the table in docs/lifecycle.md -> what the code does") {
  auto text_now = read_page();
  const auto begin = text_now.find(begin_mark);
  const auto end = text_now.find(end_mark);
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);
  const auto from = begin + std::string{begin_mark}.size();
  const auto expected = table();
  if (std::getenv("HARMONY_UPDATE_DOCS") != nullptr) {
    text_now.replace(from, end - from, expected);
    std::ofstream{page} << text_now;
    return;
  }
  INFO("docs/lifecycle.md differs from src/core/lifecycle.cpp. If the code is right, run\n"
       "  HARMONY_UPDATE_DOCS=1 build/dev/bin/unit_core 'lifecycle: the table*'\n"
       "and read the difference. The table is now:\n"
       << expected);
  CHECK(text_now.substr(from, end - from) == expected);
}

TEST_CASE("lifecycle: the table -> has every phase") {
  auto all = early_situations();
  for (auto& each : late_situations())
    all.push_back(std::move(each));
  std::vector<bool> seen(static_cast<std::size_t>(resource_phase::rejected) + 1);
  for (const auto& each : all)
    seen[static_cast<std::size_t>(each.machine.state.phase)] = true;
  for (std::size_t p = 0; p < seen.size(); ++p) {
    INFO(text(static_cast<resource_phase>(p)));
    CHECK(seen[p]);
  }
}

} // namespace

} // namespace harmony::test

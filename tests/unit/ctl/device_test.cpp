// The commands that a device answers: what harmonyctl sends, prints, and how it ends.
#include "apps/ctl/printer.hpp"
#include "fixture.hpp"
#include "model/commands.hpp"
#include "support/catch.hpp"

namespace harmony::ctl {

namespace {

/// A device "pi-1" that answers as it is told, and keeps what it was asked.
class fake_device {
public:
  explicit fake_device(terminal& t)
    : serving_(t.at().serve("pi-1", [this](const auto& c) {
        asked.push_back(c.verb + " " + c.payload);
        const auto it = answers.find(c.verb);
        const auto text =
          it == answers.end() ? write_refusal({ec::not_found, "no such thing"}) : it->second;
        if (on_asked)
          on_asked();
        (void)c.reply(text);
      })) {}

  std::map<std::string, std::string> answers;
  std::vector<std::string> asked;
  std::function<void()> on_asked;

private:
  outcome<std::unique_ptr<subscription>> serving_;
};

using list = std::vector<std::string>;

} // namespace

TEST_CASE("ping: a device that answers -> where it stands") {
  terminal t;
  fake_device device{t};
  device.answers["ping"] =
    write_answer(ping_result{"pi-1", "0123456789abcdef", "1.0", 61, 7, agent_phase::converged});
  CHECK(t.run({"ping", "pi-1"}) == 0);
  CHECK(t.out.find("'pi-1' answered in ") == 0);
  CHECK(t.out.find(": Converged at generation 7, version 1.0, up 61 s\n") != std::string::npos);
  CHECK(t.run({"ping", "pi-1", "-o", "json"}) == 0);
  CHECK(json::parse(t.out)["phase"] == "Converged");
}

TEST_CASE("ping: a device that is not there -> not found") {
  terminal t;
  CHECK(t.run({"ping", "pi-1"}) == 3);
  CHECK(t.err.find("no agent 'pi-1' serves commands") != std::string::npos);
}

TEST_CASE("restart, hold, unhold, resync -> what was asked for, and said") {
  terminal t;
  fake_device device{t};
  device.answers["restart"] = write_answer(restart_result{3});
  device.answers["hold"] = write_answer(hold_result{timestamp{std::chrono::seconds{1769864400}}});
  device.answers["unhold"] = write_answer(unhold_result{1});
  device.answers["resync"] = write_answer(done_result{});
  CHECK(t.run({"restart", "pi-1", "Container/app"}) == 0);
  CHECK(t.out == "'Container/app' of 'pi-1' is restarted\n");
  CHECK(t.run({"hold", "pi-1", "File/a", "--for", "2h", "--reason", "disk"}) == 0);
  CHECK(t.out
        == "'File/a' of 'pi-1' is held until 2026-01-31T13:00:00.000Z: nothing is changed there "
           "before\n");
  CHECK(t.run({"hold", "pi-1"}) == 0);
  CHECK(t.run({"unhold", "pi-1", "File/a"}) == 0);
  CHECK(t.out == "1 hold ended on 'pi-1'\n");
  CHECK(t.run({"resync", "pi-1"}) == 0);
  CHECK(device.asked
        == list{R"(restart {"resource":"Container/app"})",
                R"(hold {"reason":"disk","resource":"File/a","seconds":7200})", "hold {}",
                R"(unhold {"resource":"File/a"})", "resync "});
}

TEST_CASE("restart: refused -> the device's words, and its kind of failure") {
  terminal t;
  fake_device device{t};
  CHECK(t.run({"restart", "pi-1", "File/a"}) == 3);
  CHECK(t.err == "error: no such thing\n");
  device.answers["restart"] = write_refusal({ec::conflict, "it is held"});
  CHECK(t.run({"restart", "pi-1", "File/a"}) == 4);
}

TEST_CASE("restart --wait -> until it was changed and is ready") {
  terminal t;
  fake_device device{t};
  device.answers["restart"] = write_answer(restart_result{3});
  auto status = status_of("pi-1", agent_phase::converged, 1);
  auto r = resource_at(resource_phase::ready);
  r.attempts = 3; // before the restart
  status.resources[{"Container", "app"}] = r;
  report(t.at(), status);
  CHECK(t.run({"restart", "pi-1", "Container/app", "--wait", "20ms"}) == 5);
  CHECK(t.err.find("is not ready in time: it is Ready") != std::string::npos);
  device.on_asked = [&] {
    status.resources[{"Container", "app"}].attempts = 4;
    report(t.at(), status);
  };
  CHECK(t.run({"restart", "pi-1", "Container/app", "--wait"}) == 0);
  CHECK(t.out.find("it is ready again\n") != std::string::npos);
}

TEST_CASE("hold: too long or too short -> usage") {
  terminal t;
  for (const auto* time : {"0s", "169h", "x"})
    CHECK(t.run({"hold", "pi-1", "--for", time}) == 2);
}

TEST_CASE("logs: lines -> printed, those that one answer does not hold too") {
  terminal t;
  fake_device device{t};
  const timestamp at{std::chrono::seconds{1769860800}};
  device.answers["logs"] = write_answer(logs_result{{{at, "one"}, {at, "two\x1b[31m"}}, "c1"});
  device.on_asked = [&] {
    if (device.asked.size() == 2)
      device.answers["logs"] = write_answer(logs_result{{{at, "three"}}, "c2"});
    if (device.asked.size() == 3)
      device.answers["logs"] = write_answer(logs_result{{}, "c2"});
  };
  CHECK(t.run({"logs", "pi-1", "Container/app", "-n", "10"}) == 0);
  CHECK(t.out.find("2026-01-31T12:00:00.000Z  one\n") == 0);
  CHECK(t.out.find("two\\x1b[31m\n") != std::string::npos);
  CHECK(device.asked.front() == R"(logs {"resource":"Container/app","tail":10})");
  CHECK(device.asked.back().find(R"("cursor":"c)") != std::string::npos);
}

TEST_CASE("logs --follow -> goes on with what comes, until interrupted") {
  terminal t;
  fake_device device{t};
  const timestamp at{std::chrono::seconds{1769860800}};
  device.answers["logs"] = write_answer(logs_result{{{at, "one"}}, "c1"});
  device.on_asked = [&] {
    device.answers["logs"] = device.asked.size() == 1
                               ? write_answer(logs_result{{}, "c1"})
                               : write_answer(logs_result{{{at, "later"}}, "c2"});
    if (device.asked.size() == 4)
      t.interrupt.request_stop();
  };
  CHECK(t.run({"logs", "pi-1", "Container/app", "-f", "-o", "json"}) == 0);
  CHECK(t.out.find(R"({"at":"2026-01-31T12:00:00.000Z","text":"later"})") != std::string::npos);
  CHECK(device.asked.back().find(R"("waitSeconds":20)") != std::string::npos);
}

TEST_CASE("explain --live -> the device's own words") {
  terminal t;
  fake_device device{t};
  device.answers["explain"] =
    write_answer(explain_result{{{"pi-1", "Degraded", "Degraded at generation 2", {"x"}, "y"}}});
  CHECK(t.run({"explain", "pi-1", "--live"}) == 0);
  CHECK(t.out == "pi-1: Degraded at generation 2\n  because  x\n  next     y\n");
}

TEST_CASE("plan: a device that is there -> what it would do, by its own look") {
  terminal t;
  fake_device device{t};
  beat(t.at(), status_of("pi-1", agent_phase::converged, 1));
  device.answers["plan"] =
    write_answer(plan_result{{{{"File", "a"},
                               plan_step::update,
                               "differs on the device: mode",
                               {{"update", "mode", "0600", "0644"}}},
                              {{"File", "b"}, plan_step::keep, "it is as declared", {}}}});
  CHECK(t.run({"plan", "-f", "-"}, yaml_of("pi-1", {"a", "b"})) == 0);
  CHECK(t.out
        == "Agent pi-1: generation 1, compared with what is on the device\n"
           "  ~ update File/a  (differs on the device: mode)\n"
           "      mode: 0600 -> 0644\n"
           "  = keep File/b\n"
           "Plan: 1 to update, 1 to keep.\n");
  CHECK(device.asked.front().find(R"("generation": 1)") != std::string::npos);
  CHECK(t.run({"plan", "-f", "-", "-o", "json"}, yaml_of("pi-1", {"a", "b"})) == 0);
  CHECK(json::parse(t.out)[0]["resources"][0]["fields"][0]["from"] == "0600");
  CHECK(t.run({"plan", "-f", "-", "--offline"}, yaml_of("pi-1", {"a"})) == 0);
  CHECK(t.out.find("Plan: 1 to create, 0 to update, 0 to keep, 0 to remove.") != std::string::npos);
}

TEST_CASE("plan: a device that is away -> compared with the store, and said so") {
  terminal t;
  CHECK(t.run({"plan", "-f", "-"}, yaml_of("pi-1", {"a"})) == 0);
  CHECK(t.err == "note: 'pi-1' is offline; compared with the manifest in the store\n");
  CHECK(t.out.find("+ create File/a") != std::string::npos);
}

} // namespace harmony::ctl

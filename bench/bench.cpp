#include "bench.hpp"

#include <cstdlib>
#include <iostream>

namespace harmony::bench {

const std::string program = HARMONY_AGENT;
const std::string image = "localhost/harmony-bench:1";
const std::vector<std::string> files_only{"--systemd", "off", "--podman", "off"};
const std::string sleeper = "[Service]\nExecStart=/bin/sleep infinity\n";

namespace {

std::string escaped(const std::string& s) {
  std::string out;
  for (const char c : s)
    out += c == '\n' ? std::string{"\\n"} : std::string(1, c);
  return out;
}

std::string what_is_not_ready(const agent_status& status) {
  std::string text = " it is " + std::string{name_of(status.phase)} + " at generation "
                     + std::to_string(status.observed_generation);
  for (const auto& c : status.conditions)
    text += "\n  " + c.type + " " + c.reason + ": " + c.message;
  for (const auto& [id, r] : status.resources)
    if (r.phase != resource_phase::ready)
      text +=
        "\n  " + id.str() + " " + std::string{name_of(r.phase)} + " " + r.reason + ": " + r.message;
  return text;
}

} // namespace

void give_up(const std::string& why) {
  std::cerr << "agent_bench: " << why << "\n";
  std::exit(1);
}

void need(bool holds, const std::string& what) {
  if (!holds)
    give_up(what + " failed");
}

void sh(const std::string& command) {
  need(std::system(command.c_str()) == 0, command);
}

std::string file_json(const std::string& name, const std::string& path,
                      const std::string& content) {
  return R"({"kind":"File","name":")" + name + R"(","spec":{"path":")" + path + R"(","content":")"
         + content + R"("}})";
}

std::string unit_json(const std::string& name, const std::string& content,
                      const std::string& members) {
  return R"({"kind":"SystemdUnit","name":")" + name + R"(","spec":{"unit":")" + name
         + R"(.service","content":")" + escaped(content) + R"("})" + members + "}";
}

std::string container_json(const std::string& name) {
  return R"({"kind":"Container","name":")" + name + R"(","spec":{"image":")" + image
         + R"(","pullPolicy":"Never","network":"none"}})";
}

std::string list(const std::vector<std::string>& all) {
  std::string out;
  for (const auto& each : all)
    out += (out.empty() ? "" : ",") + each;
  return out;
}

resource_id id_of(const std::string& text) {
  resource_id id;
  need(parse_resource_id(text, id), "reading the id '" + text + "'");
  return id;
}

void converge(test::agent_process& agent) {
  // A whole device takes longer than one wait, on a busy machine.
  for (int i = 0; i < 4; ++i)
    if (agent.converged())
      return;
  give_up("the agent did not converge:" + what_is_not_ready(agent.status()));
}

void settle(test::agent_process& agent, const std::string& resources) {
  agent.apply(resources);
  converge(agent);
}

void time_apply(samples& s, test::agent_process& agent, const std::string& resources) {
  s.time([&] { settle(agent, resources); });
}

} // namespace harmony::bench

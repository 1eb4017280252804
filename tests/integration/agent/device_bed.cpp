#include "integration/agent/device_bed.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "support/shell.hpp"

namespace harmony::test {

bool run(const std::string& command) {
  int status = 0;
  shell("{ " + command + "; }", &status); // all of its words to us
  return status == 0;
}

bool becomes(const std::function<bool()>& holds) {
  constexpr std::chrono::seconds patience{20};
  constexpr std::chrono::milliseconds pause{20};
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    std::this_thread::sleep_for(pause);
  }
  return true;
}

std::string file_json(const std::string& name, const std::string& path, const std::string& content,
                      const std::string& beside) {
  return R"({"kind":"File","name":")" + name + R"(","spec":{"path":")" + path + R"(","content":")"
         + content + "\"}" + beside + "}";
}

std::string unit_json(const std::string& name, const std::string& lines,
                      const std::string& beside) {
  return R"({"kind":"SystemdUnit","name":")" + name + R"(","spec":{"unit":"test-)" + name
         + R"(.service","content":"[Service]\n)" + lines + R"(\n"})" + beside + "}";
}

std::string container_json(const std::string& name, const std::string& image,
                           const std::string& mode) {
  return R"({"kind":"Container","name":")" + name + R"(","spec":{"image":")" + image
         + R"(","pullPolicy":"Never","network":"none","env":{"MODE":")" + mode + "\"}}}";
}

std::string after(const std::string& id) {
  return R"(,"dependsOn":[")" + id + "\"]";
}

resource_status resource_of(const agent_status& s, const std::string& id) {
  resource_id key;
  parse_resource_id(id, key);
  const auto it = s.resources.find(key);
  return it == s.resources.end() ? resource_status{} : it->second;
}

condition condition_of(const agent_status& s, const std::string& type) {
  const auto it = std::find_if(s.conditions.begin(), s.conditions.end(),
                               [&](const condition& c) { return c.type == type; });
  return it == s.conditions.end() ? condition{} : *it;
}

} // namespace harmony::test

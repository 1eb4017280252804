#include "core/shorten.hpp"

#include "support/catch.hpp"

namespace harmony {

namespace {

const resource_id job{"ShellJob", "j"};
const resource_id file{"File", "f"};

agent_status whole() {
  agent_status s;
  s.agent = "pi-1";
  s.boot_id = "0123456789abcdef";
  s.phase = agent_phase::degraded;
  auto& j = s.resources[job];
  j.phase = resource_phase::failed;
  j.reason = "JobFailed";
  j.message = std::string(79, 'x') + "ä and more";
  j.revision = "sha256:1";
  j.state = job_state{.exit_code = 1, .standard_output = "much", .standard_error = "more"};
  auto& f = s.resources[file];
  f.phase = resource_phase::ready;
  f.revision = "sha256:2";
  f.attempts = 3;
  f.state = file_state{"sha256:3", "0644"};
  return s;
}

} // namespace

TEST_CASE("shorten: level by level -> smaller, and phases and reasons stay") {
  auto bytes = write_status(whole()).size() + 1000; // the condition is added once
  for (unsigned level = 0; level <= shortest; ++level) {
    const auto s = shortened(whole(), level, {});
    INFO("level " << level);
    CHECK(write_status(s).size() < bytes);
    bytes = write_status(s).size() + (level == 0 ? 1000 : 20); // "left out" grows by a few words
    CHECK(s.phase == agent_phase::degraded);
    CHECK(s.resources.at(job).phase == resource_phase::failed);
    CHECK(s.resources.at(job).reason == "JobFailed");
    CHECK(s.conditions.size() == (level == 0 ? 0U : 1U));
    CHECK(read_status(write_status(s)).value() == s);
  }
}

TEST_CASE("shorten: each level -> leaves out what it says") {
  CHECK(shortened(whole(), 0, {}) == whole());
  const auto one = shortened(whole(), 1, {});
  CHECK(std::get<job_state>(one.resources.at(job).state).standard_output.empty());
  CHECK(std::get<job_state>(one.resources.at(job).state).exit_code == 1);
  const auto two = shortened(whole(), 2, {});
  CHECK(std::holds_alternative<std::monostate>(two.resources.at(file).state));
  CHECK(two.resources.at(job).message == whole().resources.at(job).message);
  const auto three = shortened(whole(), 3, {});
  CHECK(three.resources.at(job).message == std::string(79, 'x') + "…"); // no half character
  CHECK(three.resources.at(file).revision == "sha256:2");
  const auto four = shortened(whole(), 4, {});
  CHECK(four.resources.at(file).revision.empty());
  CHECK(four.resources.at(file).attempts == 0);
}

} // namespace harmony

#include "integration/network/network_bed.hpp"

#include <sys/wait.h>

#include <array>
#include <cstdio>

namespace harmony::test {

namespace {

std::string run(const std::string& command, int& status) {
  std::string out;
  auto* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr)
    return "popen failed";
  std::array<char, 4096> buffer{};
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    out.append(buffer.data(), n);
  const auto ended = ::pclose(pipe);
  status = WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
  if (!out.empty() && out.back() == '\n')
    out.pop_back();
  return out;
}

network_config config_in(const std::filesystem::path& root) {
  network_config config;
  config.root = root;
  config.pause = milliseconds{20};
  return config;
}

} // namespace

std::string shell(const std::string& command) {
  int status = -1;
  auto out = run(command, status);
  INFO(command << ": " << out);
  REQUIRE(status == 0);
  return out;
}

bool succeeds(const std::string& command) {
  int status = -1;
  run(command, status);
  return status == 0;
}

bool kernel_has(const std::string& kind) {
  const auto how = kind == "vlan" ? "link lo name try0 type vlan id 1" : "try0 type " + kind;
  const bool has = succeeds("ip link add " + how);
  if (has)
    shell("ip link delete try0");
  return has;
}

desired_link link_of(const std::string& name, link_type type) {
  desired_link want{{"Network", name}, {}, {}, {}};
  want.spec.link = name;
  want.spec.type = type;
  want.spec.confirm = 0;
  return want;
}

network_bed::network_bed(const std::filesystem::path& at)
  : agent(device, config_in(at.empty() ? root.path() : at)) {
  shell("ip link add port0 type veth peer name far0 && ip link set far0 up");
}

network_bed::~network_bed() {
  for (const auto& record : owned.all()) {
    auto ctx = context();
    (void)agent.remove(record, ctx).ok();
  }
  succeeds("ip link delete port0");
}

outcome<observation> network_bed::look(const desired_link& want) {
  auto ctx = context();
  return agent.observe({want.id, want.spec, want.revision, {}}, ctx);
}

outcome<void> network_bed::converge(const desired_link& want) {
  const auto seen = look(want);
  if (!seen)
    return seen.error();
  if (seen->obstacle)
    return *seen->obstacle;
  if (seen->changes.empty())
    return {};
  auto ctx = context();
  return agent.apply({want.id, want.spec, want.revision, {}}, seen->changes, ctx);
}

void network_bed::must_converge(const desired_link& want) {
  const auto done = converge(want);
  INFO((done ? std::string{} : done.error().message));
  REQUIRE(done.ok());
  CHECK(differences(want).empty());
}

std::string network_bed::differences(const desired_link& want) {
  const auto seen = look(want);
  INFO((seen ? std::string{} : seen.error().message));
  REQUIRE(seen.ok());
  return seen->obstacle ? std::string{reason_of(seen->obstacle->code)} : describe(seen->changes);
}

outcome<void> network_bed::remove(const desired_link& want) {
  auto ctx = context();
  for (const auto& record : owned.of(want.id))
    if (auto done = agent.remove(record, ctx); !done)
      return done;
  return {};
}

runtime_monitor::on_hint hint_log::sink() {
  return [this](std::string target) {
    const std::lock_guard lock{mutex_};
    hints_.insert(std::move(target));
    came_.notify_all();
  };
}

void hint_log::clear() {
  const std::lock_guard lock{mutex_};
  hints_.clear();
}

bool hint_log::wait_for(const std::string& target, milliseconds* took) {
  const auto begin = std::chrono::steady_clock::now();
  std::unique_lock lock{mutex_};
  const bool came = came_.wait_for(lock, seconds{10}, [&] { return hints_.count(target) != 0; });
  if (took != nullptr)
    *took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin);
  return came;
}

} // namespace harmony::test

#include "integration/network/network_bed.hpp"

namespace harmony::test {

namespace {

network_config config_in(const std::filesystem::path& root) {
  network_config config;
  config.root = root;
  config.pause = milliseconds{20};
  return config;
}

} // namespace

bool kernel_has(const std::string& kind) {
  const auto how = kind == "vlan" ? "link lo name try0 type vlan id 1" : "try0 type " + kind;
  const bool has = succeeds("ip link add " + how);
  if (has)
    must("ip link delete try0");
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
  must("ip link add port0 type veth peer name far0 && ip link set far0 up");
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

} // namespace harmony::test

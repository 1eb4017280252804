#include "systemd_unit_fake.hpp"

#include <sys/wait.h>

#include <filesystem>

namespace harmony::test {

namespace {

bool has(const std::optional<std::string>& content, std::string_view word) {
  return content && content->find(word) != std::string::npos;
}

} // namespace

std::optional<std::string> fake_systemd::file(const std::string& name) const {
  const auto path = folder.path() / name;
  if (!std::filesystem::is_regular_file(std::filesystem::symlink_status(path)))
    return {};
  return read_file(path);
}

outcome<void> fake_systemd::begin(const std::string& call) {
  before(call);
  calls.push_back(call);
  const auto found = failures.find(call);
  return found == failures.end() ? outcome<void>{} : outcome<void>{found->second};
}

fake_systemd::unit& fake_systemd::load(const std::string& name) {
  auto& u = units[name];
  if (!u.loaded)
    u.loaded = file(name);
  return u;
}

outcome<unit_properties> fake_systemd::properties(const std::string& name, bool,
                                                  const wait_limit&) {
  auto& u = load(name);
  unit_properties p;
  if (std::filesystem::is_symlink(folder.path() / name))
    p.load_state = "masked";
  else if (u.loaded || !u.elsewhere.empty())
    p.load_state = "loaded";
  p.active_state = u.active;
  p.sub_state = u.sub;
  p.need_reload = u.loaded && u.loaded != file(name);
  if (u.loaded) {
    p.fragment_path = folder.path() / name;
    p.unit_file_state = !has(u.loaded, "[Install]") ? "static"
                        : u.enabled.empty()         ? "disabled"
                                                    : "enabled";
  } else {
    p.fragment_path = u.elsewhere;
  }
  if (u.starts > 0)
    p.invocation_id = std::to_string(u.starts);
  return p;
}

outcome<bool> fake_systemd::needs_reload(const std::string& name, const wait_limit&) {
  const auto& u = load(name);
  return u.loaded && u.loaded != file(name);
}

outcome<unit_result> fake_systemd::result(const std::string& name, const wait_limit&) {
  return units[name].result;
}

void fake_systemd::start(unit& u) {
  ++u.starts;
  u.running.reset();
  u.active = "failed";
  u.sub = "failed";
  if (has(u.loaded, "BROKEN")) {
    u.result = {"exit-code", CLD_EXITED, 203};
  } else if (has(u.loaded, "ONESHOT")) {
    u.active = "inactive";
    u.sub = "dead";
  } else if (has(u.loaded, "HANGS")) {
    u.active = "activating";
    u.sub = "start-pre";
  } else {
    u.running = u.loaded ? u.loaded : u.elsewhere;
    u.active = "active";
    u.sub = "running";
  }
}

outcome<std::string> fake_systemd::run(unit_job what, const std::string& name, const wait_limit&) {
  const auto call = std::string{name_of(what)};
  if (auto may = begin(call); !may)
    return may.error();
  auto& u = load(name);
  if (!u.loaded && u.elsewhere.empty())
    return {ec::unit_not_found, "cannot " + call + " unit '" + name + "': not found"};
  if (has(u.loaded, "INVALID"))
    return {ec::unit_invalid, "cannot " + call + " unit '" + name + "': bad setting"};
  if (what == unit_job::stop) {
    u.running.reset();
    u.active = "inactive";
    u.sub = "dead";
  } else if (what == unit_job::restart || u.active != "active") {
    start(u);
  }
  after(call);
  if (u.active == "activating")
    return std::string{};
  return std::string{u.active == "failed" ? "failed" : "done"};
}

outcome<void> fake_systemd::reset_failed(const std::string& name, const wait_limit&) {
  if (auto may = begin("reset-failed"); !may)
    return may;
  auto& u = units[name];
  if (u.active == "failed") {
    u.active = "inactive";
    u.sub = "dead";
  }
  after("reset-failed");
  return {};
}

outcome<void> fake_systemd::enable(const std::string& name, const wait_limit&) {
  if (auto may = begin("enable"); !may)
    return may;
  const auto content = file(name);
  if (!has(content, "[Install]"))
    return {ec::unit_invalid, "cannot enable unit '" + name + "': no [Install]"};
  units[name].enabled = content->substr(content->find("[Install]"));
  after("enable");
  return {};
}

outcome<void> fake_systemd::disable(const std::string& name, const wait_limit&) {
  if (auto may = begin("disable"); !may)
    return may;
  units[name].enabled.clear();
  after("disable");
  return {};
}

outcome<void> fake_systemd::reload(const wait_limit&) {
  if (auto may = begin("reload"); !may)
    return may;
  for (auto& [name, u] : units)
    u.loaded = file(name);
  after("reload");
  return {};
}

outcome<std::vector<unit_row>> fake_systemd::list(const std::vector<std::string>& names,
                                                  const wait_limit& limit) {
  std::vector<unit_row> rows;
  for (const auto& n : names) {
    const auto p = properties(n, false, limit);
    rows.push_back({n, p->load_state, p->active_state, p->sub_state, unit_object_path(n), 0});
  }
  return rows;
}

} // namespace harmony::test

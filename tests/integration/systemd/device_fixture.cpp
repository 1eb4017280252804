#include "device_fixture.hpp"

#include <sys/wait.h>

#include <array>
#include <cstdio>

namespace harmony::test {

std::string shell(const std::string& command, int* status) {
  std::string out;
  auto* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr)
    return "popen failed";
  std::array<char, 4096> buffer{};
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    out.append(buffer.data(), n);
  const auto ended = ::pclose(pipe);
  if (status != nullptr)
    *status = WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
  if (!out.empty() && out.back() == '\n')
    out.pop_back();
  return out;
}

device_fixture::device_fixture(const systemd_config& config) : topology(config) {}

device_fixture::~device_fixture() {
  for (const auto& record : owned.all()) {
    auto ctx = context(seconds{5});
    static_cast<void>(reconciler.remove(record, ctx).ok());
  }
}

std::vector<change> device_fixture::plan(const desired_unit& want) {
  auto seen = look(want);
  INFO((seen ? std::string{} : seen.error().message));
  REQUIRE(seen.ok());
  auto todo = reconciler.plan(want, *seen);
  INFO((todo ? std::string{} : todo.error().message));
  REQUIRE(todo.ok());
  return *todo;
}

std::vector<std::string> device_fixture::fields(const desired_unit& want) {
  std::vector<std::string> names;
  for (const auto& c : plan(want))
    names.push_back(c.field);
  return names;
}

outcome<void> device_fixture::converge(const desired_unit& want, milliseconds limit) {
  auto ctx = context(limit);
  auto seen = reconciler.observe(want, ctx);
  if (!seen)
    return seen.error();
  auto todo = reconciler.plan(want, *seen);
  if (!todo)
    return todo.error();
  return reconciler.apply(want, *todo, ctx);
}

void device_fixture::must_converge(const desired_unit& want) {
  const auto done = converge(want);
  INFO((done ? std::string{} : done.error().message));
  REQUIRE(done.ok());
  CHECK(fields(want).empty());
}

unit_properties device_fixture::properties(const std::string& unit) {
  auto p = topology.manager.properties(unit, true, {{}, clock::now() + seconds{10}});
  INFO((p ? std::string{} : p.error().message));
  REQUIRE(p.ok());
  return *p;
}

outcome<void> device_fixture::remove(const desired_unit& want) {
  auto ctx = context();
  for (const auto& record : owned.of(want.id))
    if (auto done = reconciler.remove(record, ctx); !done)
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

bool hint_log::wait_for(const std::string& target, milliseconds limit) {
  std::unique_lock lock{mutex_};
  return came_.wait_for(lock, limit, [&] { return hints_.count(target) != 0; });
}

} // namespace harmony::test

#include "device_fixture.hpp"

namespace harmony::test {

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
  if (auto done = reconciler.apply(want, *todo, ctx); !done)
    return done;
  if (const auto why = reconciler.why_ended(want, ctx))
    return *why;
  return {};
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

} // namespace harmony::test

#include "core/diff.hpp"

#include <sstream>

#include "support/catch.hpp"

namespace harmony::test {

namespace {

/// A manifest in a line: "a=1 b=2 c=1<a !d" is File/a, File/b and File/c at contents 1, 2 and 1, c
/// restarted on a; File/d rejected.
manifest parse(const std::string& text) {
  manifest m;
  std::istringstream words{text};
  std::string word;
  while (words >> word) {
    if (word.front() == '!') {
      m.rejected.push_back({{"File", word.substr(1)}, ec::invalid_spec, "no", ""});
      continue;
    }
    const auto equals = word.find('=');
    const auto on = word.find('<');
    resource r;
    r.id = {"File", word.substr(0, equals)};
    file_spec spec;
    spec.path = "/" + r.id.name;
    spec.content = word.substr(equals + 1, on == std::string::npos ? on : on - equals - 1);
    for (auto at = on; at != std::string::npos; at = word.find('<', at + 1))
      r.restart_on.push_back({"File", word.substr(at + 1, word.find('<', at + 1) - at - 1)});
    r.spec = spec;
    r.revision = revision_of(r.spec);
    m.resources.push_back(std::move(r));
  }
  return m;
}

std::string names(const char* mark, const std::vector<resource_id>& ids) {
  std::string text;
  for (const auto& id : ids)
    text += std::string{text.empty() ? "" : " "} + mark + id.name;
  return text;
}

std::string render(const manifest_diff& d) {
  std::string text;
  for (const auto& part :
       {names("+", d.create), names("~", d.update), names("=", d.keep), names("-", d.remove)})
    if (!part.empty())
      text += (text.empty() ? "" : " ") + part;
  return text;
}

TEST_CASE("diff: two manifests -> created, updated, kept and removed resources") {
  struct row {
    const char* before;
    const char* after;
    const char* expected;
  };
  const std::vector<row> rows = {
    {"", "", ""},
    {"", "a=1", "+a"},
    {"", "b=1 a=1", "+b +a"},
    {"a=1", "", "-a"},
    {"a=1 b=1", "", "-a -b"},
    {"a=1", "a=1", "=a"},
    {"a=1", "a=2", "~a"},
    {"a=1", "b=1", "+b -a"},
    {"a=1 b=1", "b=1 a=1", "=b =a"},
    {"a=1 b=1 c=1", "b=2 c=1 d=1", "+d ~b =c -a"},
    // restartOn
    {"a=1 c=1<a", "a=1 c=1<a", "=a =c"},
    {"a=1 c=1<a", "a=2 c=1<a", "~a ~c"},
    {"a=1 c=1<a", "a=2 c=2<a", "~a ~c"},
    {"a=1 b=1 c=1<a", "a=1 b=2 c=1<a", "~b =a =c"},
    {"a=1 c=1", "a=1 c=1<a", "~c =a"},
    {"a=1 c=1<a", "a=1 c=1", "~c =a"},
    {"a=1 b=1 c=1<a<b", "a=1 b=2 c=1<a<b", "~b ~c =a"},
    {"a=1 b=1<a c=1<b", "a=2 b=1<a c=1<b", "~a ~b =c"}, // one step, by specs
    // Rejected ones are left alone.
    {"a=1", "!a", "=a"},
    {"a=1 b=1", "!a b=2", "~b =a"},
    {"", "!a", ""},
    {"!a", "a=1", "+a"},
    {"!a", "", ""},
    {"!a", "!a", ""},
  };
  for (const auto& each : rows) {
    INFO("'" << each.before << "' to '" << each.after << "'");
    const auto before = parse(each.before);
    CHECK(render(diff(&before, parse(each.after))) == each.expected);
  }
}

TEST_CASE("diff: no manifest before -> everything is created") {
  const auto d = diff(nullptr, parse("a=1 b=1<a !c"));
  CHECK(render(d) == "+a +b");
  CHECK_FALSE(d.empty());
}

TEST_CASE("diff: nothing changes -> empty") {
  const auto m = parse("a=1 b=1<a");
  CHECK(diff(&m, m).empty());
}

TEST_CASE("diff: what a revision does not count -> kept") {
  const auto before = parse("a=1 b=1");
  auto after = before;
  after.metadata.generation = 9;
  after.resources[0].origin = "rollout/x";
  after.resources[0].probes.readiness = probe{};
  after.resources[1].depends_on = {{{"File", "a"}}};
  CHECK(diff(&before, after).empty());
}

TEST_CASE("diff: restart stamp -> none without restartOn, moves with what it names only") {
  const auto stamp = [](const manifest& m) { return restart_stamp(m, m.resources.back()); };
  const auto base = stamp(parse("a=1 b=1 c=1<a<b"));
  CHECK(stamp(parse("a=1 b=1 c=1")).empty());
  CHECK_FALSE(base.empty());
  CHECK(stamp(parse("a=1 b=1 c=2<a<b")) == base);
  CHECK(stamp(parse("x=7 b=1 a=1 c=1<a<b")) == base);
  CHECK(stamp(parse("a=2 b=1 c=1<a<b")) != base);
  CHECK(stamp(parse("a=1 b=2 c=1<a<b")) != base);
}

TEST_CASE("diff: desire -> equal exactly when nothing new is wanted") {
  const auto desire = [](const manifest& m) { return desire_of(m, m.resources.back()); };
  CHECK(desire(parse("a=1 c=1")) == parse("c=1").resources[0].revision);
  CHECK(desire(parse("a=1 c=1<a")) == desire(parse("c=9 a=1 c=1<a")));
  CHECK(desire(parse("a=1 c=1<a")) != desire(parse("a=2 c=1<a")));
  CHECK(desire(parse("a=1 c=1<a")) != desire(parse("a=1 c=2<a")));
  CHECK(desire(parse("a=1 c=1<a")) != desire(parse("a=1 c=1")));
}

} // namespace

} // namespace harmony::test

#include "apps/ctl/completion.hpp"

#include "support/catch.hpp"
#include "unit/ctl/fixture.hpp"

namespace harmony::ctl {

namespace {

using words = std::vector<std::string>;

words candidates(const words& line) {
  auto found = complete(line).candidates;
  std::sort(found.begin(), found.end());
  return found;
}

TEST_CASE("complete: a line so far -> what can follow") {
  struct row {
    words line;
    words wanted;
  };
  for (const auto& [line, wanted] : std::vector<row>{
         {{"ap"}, {"apply", "approve"}},
         {{"enroll-token", ""}, {"create", "list", "revoke"}},
         {{"get", ""}, {"agents", "manifest", "resources"}},
         {{"describe", "re"}, {"resource"}},
         {{"get", "agents", "--st"}, {"--store"}},
         {{"-o", "j"}, {"json"}},
         {{"get", "agents", "--output", ""}, {"json", "table", "yaml"}},
         {{"get", "agents", "--output=y"}, {"--output=yaml"}},
         {{"wait", "pi", "--for", "phase=D"}, {"phase=Degraded"}},
         {{"wait", "pi", "--for=g"}, {"--for=generation="}},
         {{"schema", ""}, {"manifest", "status"}},
         {{"completion", "z"}, {"zsh"}},
         {{"--store", "dir:/x", "ver"}, {"verify", "version"}},
         {{"describe", "resource", "pi", "F"}, {"File/"}},
         {{"apply", "-f", ""}, {}},
         {{"no-such-command", "x"}, {}},
         {{}, {}},
       }) {
    CAPTURE(line);
    CHECK(candidates(line) == wanted);
  }
  const auto flags = candidates({"apply", "--"});
  for (const auto* flag : {"--file", "--agent", "--wait", "--force", "--dry-run", "--store"})
    CHECK(std::count(flags.begin(), flags.end(), flag) == 1);
}

TEST_CASE("complete: where an agent stands -> the agents of the store are asked for") {
  CHECK(complete({"wait", "p"}).agents);
  CHECK(complete({"get", "resources", ""}).agents);
  CHECK(complete({"describe", "resource", ""}).agents);
  CHECK(complete({"apply", "--agent", ""}).agents);
  CHECK_FALSE(complete({"get", "agents", ""}).agents);
  CHECK_FALSE(complete({"wait", "pi", "--timeout", ""}).agents);
  CHECK(complete({"--store", "nats://x", "wait", ""}).store == "nats://x");
  CHECK(complete({"wait", "--store=dir:/y", ""}).store == "dir:/y");
}

TEST_CASE("__complete: agents -> those of the store that begin so; nothing without a store") {
  terminal t;
  t.at().force(bucket::desired_state, "pi-1", "{}");
  t.at().force(bucket::actual_state, "pi-2", "{}");
  t.at().force(bucket::actual_state, "other", "{}");
  CHECK(t.run({"__complete", "--", "wait", "pi"}) == 0);
  CHECK(t.out == "pi-1\npi-2\n");
  t.at().fail_next(test::store_call::keys, {ec::store_denied, "no"});
  CHECK(t.run({"__complete", "--", "wait", "pi"}) == 0);
  CHECK(t.out.empty());
  CHECK(t.err.empty());
}

TEST_CASE("completion: a shell -> its script, which asks harmonyctl") {
  terminal t;
  for (const auto* shell : {"bash", "zsh", "fish"}) {
    CHECK(t.run({"completion", shell}) == 0);
    CHECK(t.out.find("__complete --") != std::string::npos);
  }
}

} // namespace

} // namespace harmony::ctl

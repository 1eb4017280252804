#include "apps/agent/journal_sink.hpp"

#include "support/catch.hpp"

namespace harmony::test {

TEST_CASE("journal: a line -> the first resource that it quotes, or none") {
  CHECK(resource_in("resource 'File/motd' is Ready") == "File/motd");
  CHECK(resource_in("agent 'pi-1': resource 'File/motd' of 'Container/app'") == "File/motd");
  CHECK(resource_in("agent 'pi-1' is Converged at generation '3'").empty());
  CHECK(resource_in("it's File/motd").empty());
  CHECK(resource_in("path '/etc/motd', '' and an open 'File/x").empty());
  CHECK(resource_in("").empty());
}

} // namespace harmony::test

// Apart from the rest of shell.hpp: a program without Catch2 links that.
#include "support/catch.hpp"
#include "support/shell.hpp"

namespace harmony::test {

std::string must(const std::string& command) {
  int status = -1;
  auto out = shell(command, &status);
  INFO(command << ": " << out);
  REQUIRE(status == 0);
  return out;
}

} // namespace harmony::test

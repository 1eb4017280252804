#include <fstream>
#include <set>
#include <sstream>

#include "model/outcome.hpp"
#include "support/catch.hpp"

namespace harmony {

namespace {

std::string file_text(const std::string& path) {
  std::ifstream in{std::string{HARMONY_SOURCE_DIR "/"} + path};
  REQUIRE(in);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST_CASE("reasons: every code -> a reason of its own that docs/reasons.md explains") {
  const auto page = file_text("docs/reasons.md");
  std::set<std::string> all;
  for (int i = 0; i <= static_cast<int>(ec::internal); ++i) {
    const std::string reason{reason_of(static_cast<ec>(i))};
    CHECK(all.insert(reason).second);
    INFO(reason);
    CHECK(page.find("\n| `" + reason + "` |") != std::string::npos);
  }
}

TEST_CASE("reasons: every reason in docs/reasons.md -> one that exists") {
  std::set<std::string> known;
  for (int i = 0; i <= static_cast<int>(ec::internal); ++i)
    known.insert(std::string{reason_of(static_cast<ec>(i))});
  std::istringstream page{file_text("docs/reasons.md")};
  for (std::string line; std::getline(page, line);)
    if (line.rfind("| `", 0) == 0) {
      INFO(line);
      CHECK(known.count(line.substr(3, line.find('`', 3) - 3)) == 1);
    }
}

} // namespace

} // namespace harmony

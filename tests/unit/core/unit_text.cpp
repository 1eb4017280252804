#include "core/unit_text.hpp"

#include "support/catch.hpp"

namespace harmony::test {

namespace {

/// "Section.Key=value", a line each.
std::string read(std::string_view text) {
  std::string result;
  for (const auto& each : read_unit_text(text))
    result += (result.empty() ? "" : "|") + each.section + "." + each.key + "=" + each.value;
  return result;
}

} // namespace

TEST_CASE("unit text: sections, comments, blanks -> its assignments in order") {
  CHECK(read("# x\n[Unit]\n Description = a b \n\n;y\n[Service]\nUser=app\nUser=\n")
        == "Unit.Description=a b|Service.User=app|Service.User=");
  CHECK(read("User=early\n[Bad\nUser=x") == ".User=early|.User=x");
  CHECK(read("").empty());
  CHECK(read("no assignment\n[]\n").empty());
}

// Each row is one with which somebody may try to show the policy another unit than systemd sees.
TEST_CASE("unit text: tricky line ends -> as systemd's config_parse reads them") {
  using std::literals::operator""sv;
  CHECK(read("[Service]\nA=1 \\\nUser=root\n") == "Service.A=1  User=root");
  CHECK(read("[Service]\nA=1\\\n# x\nUser=root\n") == "Service.A=1 User=root");
  CHECK(read("[Service]\nA=1\\\n\nUser=root\n") == "Service.A=1|Service.User=root");
  CHECK(read("[Service]\nA=1\\\\\nUser=root\n") == "Service.A=1\\\\|Service.User=root");
  CHECK(read("[Service]\nA=1\rUser=root\r\nB=2") == "Service.A=1|Service.User=root|Service.B=2");
  CHECK(read("[Service]\nA=1\\\r\nUser=app\n") == "Service.A=1 User=app");
  CHECK(read("[Service]\nA=1\\\n\rUser=app\n") == "Service.A=1 User=app");
  CHECK(read("[Service]\nA=1\\\n\n\rUser=app\n") == "Service.A=1|Service.User=app");
  CHECK(read("[Service]\nA=1\0User=root\n"sv) == "Service.A=1|Service.User=root");
  CHECK(read("[Service]\nA=1\\\0\nUser=root\n"sv) == "Service.A=1|Service.User=root");
  CHECK(read("\xEF\xBB\xBF[Service]\nUser=app\n") == "Service.User=app");
  CHECK(read("[Service]\n\xEF\xBB\xBF"
             "User=root\n")
        == "Service.User=root");
  CHECK(read("[Service]\n\xEF\xBB\xBF"
             "A=1\n\xEF\xBB\xBF"
             "User=app\n")
        == "Service.A=1|Service.\xEF\xBB\xBF"
           "User=app");
  CHECK(read("[Service]\nA=1\\") == "Service.A=1");
}

} // namespace harmony::test

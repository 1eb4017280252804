#include "apps/ctl/printer.hpp"

#include "support/catch.hpp"

namespace harmony::ctl {

namespace {

listing sample() {
  listing l;
  l.columns = {{"NAME", "name"}, {"PHASE", "phase"}, {"", "count"}, {"NOTE", "note"}};
  l.rows = {{cell::of("a"), cell::of("Ready", tone::good), cell::of("", 1), cell::of("")},
            {cell::of("größe"), cell::of("Failed", tone::bad), cell::of("", 20),
             cell::of("exit\nstatus \x1b[31m1")}};
  return l;
}

TEST_CASE(
  "printer: a listing as a table -> aligned, control characters shown, no trailing spaces") {
  CHECK(render(sample(), output_format::table, false)
        == "NAME    PHASE    NOTE\n"
           "a       Ready\n"
           "größe   Failed   exit status \\x1b[31m1\n");
}

TEST_CASE("printer: the table with colour -> the same text between escape sequences") {
  CHECK(render(sample(), output_format::table, true)
        == "NAME    PHASE    NOTE\n"
           "a       \x1b[32mReady\x1b[0m\n"
           "größe   \x1b[31mFailed\x1b[0m   exit status \\x1b[31m1\n");
}

TEST_CASE("printer: the same listing as JSON and YAML -> one object a row") {
  const auto wanted = json::parse(R"([{"name":"a","phase":"Ready","count":1,"note":""},
    {"name":"größe","phase":"Failed","count":20,"note":"exit\nstatus \u001b[31m1"}])");
  CHECK(json::parse(render(sample(), output_format::json, true)) == wanted);
  CHECK(render(sample(), output_format::yaml, true)
        == "- name: a\n  phase: Ready\n  count: 1\n  note: \"\"\n"
           "- name: \"größe\"\n  phase: Failed\n  count: 20\n"
           "  note: \"exit\\nstatus \\u001b[31m1\"\n");
}

TEST_CASE("printer: no rows -> a sentence in the table, an empty list elsewhere") {
  listing none;
  none.columns = {{"NAME", "name"}};
  none.nothing = "No agents.";
  CHECK(render(none, output_format::table, false) == "No agents.\n");
  CHECK(render(none, output_format::json, false) == "[]\n");
  CHECK(render(none, output_format::yaml, false) == "[]\n");
}

TEST_CASE("printable: control characters of both ranges -> shown, the rest untouched") {
  CHECK(printable("a\x07 b\x7f c\xC2\x9B d\r") == "a\\x07 b\\x7f c\\x9b d\\x0d");
  CHECK(printable("ä€😀") == "ä€😀");
  CHECK(printable("a\nb\tc") == "a b c");
  CHECK(printable("a\nb\tc", false) == "a\nb\tc");
}

TEST_CASE("yaml_writer: texts of several lines -> blocks") {
  CHECK(to_yaml(json::parse(R"({"spec":{"content":"a\n\n  b\n","list":[{"x":1,"z":[]}]}})"))
        == "spec:\n  content: |\n    a\n\n      b\n  list:\n  - x: 1\n    z: []\n");
}

} // namespace

} // namespace harmony::ctl

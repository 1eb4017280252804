#include "apps/ctl/yaml_reader.hpp"

#include "apps/ctl/printer.hpp"
#include "support/catch.hpp"

namespace harmony::ctl {

namespace {

/// The JSON of the only document in `text`; its first issue instead, if it has one.
std::string json_of(std::string_view text) {
  const auto documents = read_documents(text);
  if (documents.size() != 1)
    return std::to_string(documents.size()) + " documents";
  const auto& only = documents.front();
  if (!only.issues.empty()) {
    const auto& i = only.issues.front();
    return std::to_string(i.at.line) + ":" + std::to_string(i.at.column) + " " + i.what.path + ": "
           + i.what.message;
  }
  return to_json(*only.root);
}

TEST_CASE("yaml_reader: plain scalars -> only what every reader agrees about is typed") {
  struct row {
    const char* yaml;
    const char* json;
  };
  const auto given = GENERATE(values<row>({
    {"a: 1", R"({"a":1})"},
    {"a: 0", R"({"a":0})"},
    {"a: -7", R"({"a":-7})"},
    {"a: 18446744073709551616", R"({"a":18446744073709551616})"},
    {"a: true", R"({"a":true})"},
    {"a: FALSE", R"({"a":false})"},
    {"a: ~", R"({"a":null})"},
    {"a: null", R"({"a":null})"},
    {"a:", R"({"a":null})"},
    {"a: \"\"", R"({"a":""})"},
    {"a: yes", R"({"a":"yes"})"},
    {"a: off", R"({"a":"off"})"},
    {"a: 1.10", R"({"a":"1.10"})"},
    {"a: 1e3", R"({"a":"1e3"})"},
    {"a: 2026-01-31T12:00:00Z", R"({"a":"2026-01-31T12:00:00Z"})"},
    {"a: '5'", R"({"a":"5"})"},
    {"a: \"0644\"", R"({"a":"0644"})"},
    {"a: !!str 0644", R"({"a":"0644"})"},
    {"a: 64Mi", R"({"a":"64Mi"})"},
    {"a: 0.0.0.0", R"({"a":"0.0.0.0"})"},
    {"1: a", R"({"1":"a"})"},
    {"a: |\n  x\n  y\n", R"({"a":"x\ny\n"})"},
    {"a: |-\n  x\n  y\n", R"({"a":"x\ny"})"},
    {"a: >\n  x\n  y\n", R"({"a":"x y\n"})"},
    {"- a\n- {b: [c]}\n", R"(["a",{"b":["c"]}])"},
    {"\xEF\xBB\xBF"
     "a: b",
     R"({"a":"b"})"},
  }));
  CAPTURE(given.yaml);
  CHECK(json_of(given.yaml) == given.json);
}

TEST_CASE("yaml_reader: what readers disagree about, or nobody should write -> an issue there") {
  struct row {
    const char* yaml;
    const char* issue;
  };
  const auto given = GENERATE(values<row>({
    {"s:\n  mode: 0644\n",
     R"(2:9 s.mode: expected a decimal number or a quoted text, got 0644; write "0644")"},
    {"a: [1, 0o17]",
     R"(1:8 a[1]: expected a decimal number or a quoted text, got 0o17; write "0o17")"},
    {"a: 0xff", R"(1:4 a: expected a decimal number or a quoted text, got 0xff; write "0xff")"},
    {"a: +1", R"(1:4 a: expected a decimal number or a quoted text, got +1; write "+1")"},
    {"x:\n  a: 1\n  b: 2\n  a: 3\n", "4:3 x.a: duplicate key; the first one is in line 2"},
    {"[a, b]: 1", "1:1 : expected a text as key, got a list"},
    {"a: !mine b", "1:4 : tag '!mine' is not supported; leave it out"},
    {"a: &x {b: 1}\nc:\n  <<: *x\n", "3:3 : merge keys are not supported; repeat the fields"},
    {"a: &x [*x]", "1:8 : alias refers to a value that it is part of"},
    {"a: *none", "1:4 : not valid YAML: the referenced anchor is not defined"},
    {"a: b: c", "1:5 : not valid YAML: illegal map value"},
    {"a: [1", "2:1 : not valid YAML: end of sequence flow not found"},
    {"a: \"x", "1:6 : not valid YAML: a quoted text is never closed"},
    {"a: \"x\nb: y\n\n", "2:5 : not valid YAML: a quoted text is never closed"},
    {"a: 'x\n", "1:6 : not valid YAML: a quoted text is never closed"},
    {",", "1:1 : not valid YAML: unexpected text"},
    {"ok: 1\nbad: \xff", "2:6 : not text in UTF-8"},
    {"ok: \xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\xED\xA0\x80", "1:14 : not text in UTF-8"},
    {"over: \xC0\x80", "1:7 : not text in UTF-8"},
  }));
  CAPTURE(given.yaml);
  CHECK(json_of(given.yaml) == given.issue);
}

TEST_CASE("yaml_reader: a NUL byte -> not text") {
  CHECK(json_of(std::string_view{"a: b\0c", 6}) == "1:5 : not text in UTF-8");
}

TEST_CASE("yaml_reader: several documents -> each by itself, empty ones left out") {
  const auto documents = read_documents("---\na: 1\n---\n---\n# nothing\n---\na: 2\n...\n");
  REQUIRE(documents.size() == 2);
  CHECK(to_json(*documents[0].root) == R"({"a":1})");
  CHECK(to_json(*documents[1].root) == R"({"a":2})");
  CHECK(read_documents("").empty());
  CHECK(read_documents("# only a comment\n").empty());
}

TEST_CASE("yaml_reader: text behind a document that begins none -> an issue there") {
  const auto* text = GENERATE("[a], b", "\"a\",", "a\n...\n,");
  CAPTURE(text);
  const auto documents = read_documents(text);
  REQUIRE(documents.size() == 2);
  CHECK(documents[0].issues.empty());
  REQUIRE(documents[1].issues.size() == 1);
  CHECK(documents[1].issues[0].what.message == "not valid YAML: unexpected text");
}

TEST_CASE("yaml_reader: an alias -> the value again, in its own words") {
  CHECK(json_of("a: &x {k: [1, two]}\nb: *x\nc: &y 07x\nd: *y\n")
        == R"({"a":{"k":[1,"two"]},"b":{"k":[1,"two"]},"c":"07x","d":"07x"})");
}

TEST_CASE("yaml_reader: aliases of aliases -> refused before they are expanded") {
  std::string bomb = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
  for (int i = 1; i < 20; ++i) {
    const auto before = "*a" + std::to_string(i - 1);
    auto line = "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int k = 1; k < 10; ++k)
      line += ", " + before;
    bomb += line + "]\n";
  }
  const auto documents = read_documents(bomb);
  REQUIRE(documents.size() == 1);
  CHECK(documents[0].root == nullptr);
  REQUIRE(documents[0].issues.size() == 1);
  CHECK(documents[0].issues[0].what.code == ec::document_too_large);
}

TEST_CASE("yaml_reader: nesting -> accepted up to the limit, refused beyond, in any amount") {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  for (const bool yaml : {false, true}) {
    CAPTURE(yaml);
    const auto text = [&](std::size_t depth) {
      return yaml ? "# not JSON\n" + nested(depth) : nested(depth);
    };
    CHECK(read_documents(text(max_depth)).front().issues.empty());
    for (const auto depth : {max_depth + 1, std::size_t{100'000}}) {
      const auto documents = read_documents(text(depth));
      REQUIRE(documents.size() == 1);
      REQUIRE(documents[0].issues.size() == 1);
      CHECK(documents[0].root == nullptr);
    }
  }
}

TEST_CASE("yaml_reader: a file over the limit -> refused without being parsed") {
  const auto documents = read_documents(std::string(max_file_bytes + 1, 'a'));
  REQUIRE(documents.size() == 1);
  CHECK(documents[0].issues.front().what.code == ec::document_too_large);
}

TEST_CASE("yaml_reader: JSON -> its own escapes, numbers as written, places") {
  const auto documents =
    read_documents("{\"a\":\t\"\\ud83d\\ude00\\/\",\n  \"b\": [1.50, {\"c\": 7}]\n}");
  REQUIRE(documents.size() == 1);
  REQUIRE(documents[0].issues.empty());
  CHECK(to_json(*documents[0].root) == "{\"a\":\"\xF0\x9F\x98\x80/\",\"b\":[1.50,{\"c\":7}]}");
  const position_map places{*documents[0].root};
  CHECK(places.locate("a") == position{1, 2});
  CHECK(places.locate("b") == position{2, 3});
  CHECK(places.locate("b[1].c") == position{2, 16});
  CHECK(json_of("{\"a\": 1,\n\"a\": 2}") == "2:1 a: duplicate key; the first one is in line 1");
  CHECK(json_of("{\"a\": 1,\n")
        == "2:1 : not valid JSON: syntax error while parsing object key - unexpected end of "
           "input; expected string literal");
  CHECK(json_of("{a: 1, b: [x]}") == R"({"a":1,"b":["x"]})"); // YAML's own flow style
}

TEST_CASE("yaml_reader: every path of a document -> its line and column") {
  const auto documents = read_documents(R"(# comment
metadata:
  agent: pi-1
  labels: { a.b: "x", c: "y" }
spec:
  resources:
    - kind: File
      name: one
      spec:
        path: /a
        content: |
          first
          second
        mode: "0600"
    - { kind: File, name: two,
        spec: { path: /b } }
)");
  REQUIRE(documents.size() == 1);
  const position_map places{*documents[0].root};
  struct row {
    const char* path;
    position at;
  };
  for (const auto& [path, at] : std::vector<row>{
         {"", {2, 1}},
         {"metadata", {2, 1}},
         {"metadata.agent", {3, 3}},
         {"metadata.labels[\"a.b\"]", {4, 13}},
         {"metadata.labels.c", {4, 23}},
         {"spec.resources", {6, 3}},
         {"spec.resources[0]", {7, 7}},
         {"spec.resources[0].name", {8, 7}},
         {"spec.resources[0].spec.content", {11, 9}},
         {"spec.resources[0].spec.mode", {14, 9}},
         {"spec.resources[1]", {15, 7}},
         {"spec.resources[1].spec", {16, 9}},
         {"spec.resources[1].spec.path", {16, 17}},
         // What is not there is shown at what it is missing from.
         {"spec.resources[1].spec.content", {16, 9}},
         {"spec.resources[0].dependsOn[2]", {7, 7}},
         {"metadata.labels[\"q.r\"]", {4, 3}},
         {"metadata.generation", {2, 1}},
         {"apiVersion", {2, 1}},
       }) {
    CAPTURE(path);
    const auto found = places.locate(path);
    CHECK(found.line == at.line);
    CHECK(found.column == at.column);
  }
}

TEST_CASE("yaml_writer: any value -> YAML that is read back as the same value") {
  const auto given = GENERATE(values<std::string>({
    R"({"a":"0644","b":"yes","c":"null","d":"~","e":"","f":"1","g":"-","h":"- x","i":"a: b","j":"a #b"})",
    R"({"lines":"a\nb\n","open":"a\nb","two":"a\n\n","tail":"a \nb\n","lead":" a\nb\n","tab":"a\tb\nc\n"})",
    R"({"list":[[],{},[1,[2,3]],{"a":[{"b":1,"c":[true,null]}]}],"n":-5,"t":true})",
    R"({"\"quoted\"":1,"1":2,"a b":3,"":4,"true":5,"k:":6,"- k":7})",
    R"({"u":"äöü € 😀","c":"\u0001\u001b[31m\u007f","q":"say \"hi\" \\ 'x'","at":"@x","p":"%x","s":"*x","amp":"&x","bang":"!x"})",
    R"({"long":"one line that is long enough to stand as a block of its own in the text\n"})",
    R"([{"a":"x"},["b"],"c"])",
    R"("a block that is all there is\n- and\n---\n: like a document\n")",
    R"({")" + std::string(2000, 'k') + R"(":{"x":[1]},"after":2})",
    R"({"a":[{"b":1,"<)" + std::string(1500, 'k') + R"(":"x","after":2}]})",
    R"({"0x10":"0x10","1.5":"1.5","+1":"+1",".5":".5","on":"Off","N":"n","date":"2026-01-31"})",
  }));
  const auto value = json::parse(given);
  const auto yaml = to_yaml(value);
  CAPTURE(yaml);
  CHECK(json::parse(json_of(yaml)) == value);
}

} // namespace

} // namespace harmony::ctl

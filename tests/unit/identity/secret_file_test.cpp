#include "identity/secret_file.hpp"

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

TEST_CASE(
  "secret file: line added -> one of its own, also where the last was left without an end") {
  const temp_dir dir;
  const auto list = dir / "list";
  const auto add = [&](const std::string& line) { return append_secret_line(list.string(), line); };
  REQUIRE(add("one")); // made
  REQUIRE(add("two"));
  CHECK(read_file(list) == "one\ntwo\n");
  write_file(list, "one\ntwo");
  REQUIRE(add("three"));
  CHECK(read_file(list) == "one\ntwo\nthree\n");
  write_file(list, "");
  REQUIRE(add("one"));
  CHECK(read_file(list) == "one\n");
}

TEST_CASE(
  "secret file: text of more than 1 MiB -> read where that much is asked for, else refused") {
  const temp_dir dir;
  const std::string text((std::size_t{1} << 20) + 1, 'x');
  write_file(dir / "list", text);
  const auto path = (dir / "list").string();
  CHECK(read_text_file(path).error().message.find("more than 1 MiB") != std::string::npos);
  CHECK(read_text_file(path, text.size()).value() == text);
  CHECK_FALSE(read_text_file(path, text.size() - 1));
}

} // namespace harmony::test

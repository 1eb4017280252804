#include "apps/ctl/text_diff.hpp"

#include <random>

#include "support/catch.hpp"

namespace harmony::ctl {

namespace {

std::string signs(std::string_view before, std::string_view after) {
  std::string text;
  for (const auto& line : diff_lines(before, after))
    text += line.sign + std::string{line.text} + ";";
  return text;
}

TEST_CASE("text_diff: two texts -> the lines that differ") {
  CHECK(signs("", "").empty());
  CHECK(signs("a\nb\n", "a\nb\n") == " a; b;");
  CHECK(signs("", "a\nb") == "+a;+b;");
  CHECK(signs("a\nb\nc\n", "a\nc\n") == " a;-b; c;");
  CHECK(signs("a\nc\n", "a\nb\nc\n") == " a;+b; c;");
  CHECK(signs("a\nb\nc\n", "a\nx\nc\n") == " a;-b;+x; c;");
  CHECK(signs("a\n\nb", "a\nb") == " a;-; b;");
}

TEST_CASE("text_diff: any two texts -> old lines without '+', new lines without '-'") {
  std::mt19937 random{7};
  std::uniform_int_distribution<int> letter{'a', 'c'};
  std::uniform_int_distribution<int> length{0, 12};
  const auto text = [&] {
    std::string t;
    for (int i = length(random); i > 0; --i)
      t.append(1, static_cast<char>(letter(random))).append("\n");
    return t;
  };
  for (int round = 0; round < 500; ++round) {
    const auto before = text();
    const auto after = text();
    std::string old_text;
    std::string new_text;
    for (const auto& line : diff_lines(before, after)) {
      if (line.sign != '+')
        old_text.append(line.text).append("\n");
      if (line.sign != '-')
        new_text.append(line.text).append("\n");
    }
    REQUIRE(old_text == before);
    REQUIRE(new_text == after);
  }
}

TEST_CASE("text_diff: far apart changes -> shown with two lines around, the rest left out") {
  CHECK(render_text_diff("1\n2\n3\n4\n5\n6\n7\n8\n", "x\n2\n3\n4\n5\n6\n7\n8\n", false, 2)
        == "  - 1\n  + x\n    2\n    3\n  …\n");
  CHECK(render_text_diff(std::string(300, 'a'), "b", false, 0)
        == "- " + std::string(200, 'a') + "…\n+ b\n");
}

TEST_CASE("text_diff: texts too large to compare -> replaced as a whole") {
  std::string before;
  std::string after;
  for (int i = 0; i < 3000; ++i) {
    before += "a" + std::to_string(i) + "\n";
    after += "b" + std::to_string(i) + "\n";
  }
  CHECK(diff_lines(before, after).size() == 6000);
}

} // namespace

} // namespace harmony::ctl

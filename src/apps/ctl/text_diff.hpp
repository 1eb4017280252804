#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace harmony::ctl {

/// One line of a diff: ' ' in both, '-' only in the old text, '+' only in the new one.
struct diff_line {
  char sign = ' ';
  std::string_view text; ///< without its line break; refers to the text that was compared

  friend bool operator==(const diff_line&, const diff_line&) = default;
};

/// The shortest line diff of two texts (by longest common subsequence). Texts with more than 1000
/// differing lines on a side are shown as wholly replaced, to bound the work.
std::vector<diff_line> diff_lines(std::string_view before, std::string_view after);

/// The diff for a person, indented, with two lines around each change and "…" for what is left out.
std::string render_text_diff(std::string_view before, std::string_view after, bool colour,
                             std::size_t indent);

} // namespace harmony::ctl

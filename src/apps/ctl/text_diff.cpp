#include "apps/ctl/text_diff.hpp"

#include <algorithm>
#include <cstdint>

#include "apps/ctl/printer.hpp"

namespace harmony::ctl {

namespace {

using lines = std::vector<std::string_view>;

lines split(std::string_view text) {
  lines result;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    result.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

constexpr std::size_t most_lines = 1000;
constexpr std::size_t longest_line = 200; // bytes of a line that are shown

/// Appends the diff of a[0..] and b[0..], which begin and end with different lines.
void append_middle(const lines& a, const lines& b, std::vector<diff_line>& out) {
  if (a.size() > most_lines || b.size() > most_lines) {
    for (const auto line : a)
      out.push_back({'-', line});
    for (const auto line : b)
      out.push_back({'+', line});
    return;
  }
  // longest[i][j]: length of the longest common subsequence of a[i..] and b[j..].
  const auto width = b.size() + 1;
  std::vector<std::uint16_t> longest((a.size() + 1) * width, 0);
  for (auto i = a.size(); i-- > 0;)
    for (auto j = b.size(); j-- > 0;)
      longest[i * width + j] =
        a[i] == b[j] ? static_cast<std::uint16_t>(longest[(i + 1) * width + j + 1] + 1)
                     : std::max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() || j < b.size()) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      out.push_back({' ', a[i]});
      ++i;
      ++j;
    } else if (j == b.size()
               || (i < a.size() && longest[(i + 1) * width + j] >= longest[i * width + j + 1])) {
      out.push_back({'-', a[i++]});
    } else {
      out.push_back({'+', b[j++]});
    }
  }
}

} // namespace

std::vector<diff_line> diff_lines(std::string_view before, std::string_view after) {
  auto a = split(before);
  auto b = split(after);
  std::size_t head = 0;
  while (head < a.size() && head < b.size() && a[head] == b[head])
    ++head;
  std::size_t tail = 0;
  while (tail < a.size() - head && tail < b.size() - head
         && a[a.size() - 1 - tail] == b[b.size() - 1 - tail])
    ++tail;

  const auto part = [](const lines& all, std::size_t begin, std::size_t end) {
    return lines(all.begin() + static_cast<std::ptrdiff_t>(begin),
                 all.begin() + static_cast<std::ptrdiff_t>(end));
  };
  std::vector<diff_line> out;
  for (const auto line : part(a, 0, head))
    out.push_back({' ', line});
  append_middle(part(a, head, a.size() - tail), part(b, head, b.size() - tail), out);
  for (const auto line : part(a, a.size() - tail, a.size()))
    out.push_back({' ', line});
  return out;
}

std::string render_text_diff(std::string_view before, std::string_view after, bool colour,
                             std::size_t indent) {
  constexpr std::size_t around = 2;
  const auto all = diff_lines(before, after);
  std::vector<bool> wanted(all.size(), false);
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].sign != ' ')
      for (auto k = i < around ? 0 : i - around; k < std::min(i + around + 1, all.size()); ++k)
        wanted[k] = true;

  std::string out;
  bool skipped = false;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!wanted[i]) {
      if (!std::exchange(skipped, true))
        out.append(indent, ' ').append("…\n");
      continue;
    }
    skipped = false;
    const auto look = all[i].sign == '+'   ? tone::good
                      : all[i].sign == '-' ? tone::bad
                                           : tone::plain;
    const auto cut = all[i].text.size() > longest_line;
    const auto line = std::string{all[i].sign} + " "
                      + printable(all[i].text.substr(0, longest_line)) + (cut ? "…" : "");
    out.append(indent, ' ').append(coloured(line, look, colour)).append("\n");
  }
  return out;
}

} // namespace harmony::ctl

#pragma once

// The planner of a kind is held by a table that a person can read: the section "Case by case" of
// the kind's page in docs/reconcilers. A row is one case:
//
//   | now | wanted | steps | reason |
//
// `now` and `wanted` are words, separated by commas, each of which changes one thing in the usual
// case (a thing that is in place, as wanted). `steps` is what the planner must answer, "–" for
// nothing. `reason` is the one that it must refuse with, in backquotes, or a remark for the reader.

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/change.hpp"
#include "model/outcome.hpp"
#include "support/catch.hpp"

namespace harmony::test {

struct plan_row {
  std::size_t line = 0; ///< in its page
  std::vector<std::string> now;
  std::vector<std::string> wanted;
  std::string steps;
  std::string reason; ///< that it is refused with; empty: it is not
};

/// The rows of docs/reconcilers/<page>.md. Throws std::runtime_error when there are none.
std::vector<plan_row> plan_rows(const std::string& page);

/// "update mode 0600 → 0644; remove leftover .x", "–" for none. Each text of `known` (a hash, say)
/// stands under its short name.
std::string steps_text(const std::vector<change>& todo,
                       const std::vector<std::pair<std::string, std::string>>& known);

/// What a word does to a case. The key of one that has a value ends with a space: "mode " for
/// "mode 0600".
template <class Case>
using vocabulary = std::map<std::string, std::function<void(Case&, const std::string& value)>>;

template <class Case>
void say(Case& it, const std::string& word, const vocabulary<Case>& known) {
  // Backwards: the longer of two keys that both fit comes first.
  for (auto entry = known.rbegin(); entry != known.rend(); ++entry) {
    const auto& key = entry->first;
    if (word == key || (key.back() == ' ' && word.compare(0, key.size(), key) == 0))
      return entry->second(it, word.substr(key.size()));
  }
  FAIL("the test knows no word '" << word << "'");
}

/// Holds the planner against the table. `usual`: in place, as wanted.
template <class Case>
void check_plans(const std::string& page, const Case& usual, const vocabulary<Case>& now,
                 const vocabulary<Case>& wanted,
                 const std::function<outcome<std::vector<change>>(const Case&)>& plan,
                 const std::vector<std::pair<std::string, std::string>>& known = {}) {
  for (const auto& row : plan_rows(page)) {
    INFO("docs/reconcilers/" << page << ".md, line " << row.line);
    Case it = usual;
    for (const auto& word : row.now)
      say(it, word, now);
    for (const auto& word : row.wanted)
      say(it, word, wanted);
    const auto todo = plan(it);
    INFO((todo ? "" : todo.error().message));
    CHECK((todo ? "" : std::string{reason_of(todo.error().code)}) == row.reason);
    CHECK(steps_text(todo ? *todo : std::vector<change>{}, known) == row.steps);
  }
}

} // namespace harmony::test

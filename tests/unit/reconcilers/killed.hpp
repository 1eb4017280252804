#pragma once

#include <string>

#include "support/outcomes.hpp"

namespace harmony::test {

/// Thrown where the agent is killed.
struct killed {};

/// Runs `work` and kills the agent at its `n`-th step (from 1): a call of the fixture's manager or
/// of its inventory. Whether it was killed.
template <class Fixture, class Work>
bool killed_at(Fixture& f, int n, const Work& work) {
  int steps = 0;
  const auto step = [&] {
    if (++steps == n)
      throw killed{};
  };
  f.manager().before = [&](const std::string&) { step(); };
  f.owned.before = [&](const char*) {
    step();
    return outcome<void>{};
  };
  bool dead = false;
  try {
    check_ok(work());
  } catch (const killed&) {
    dead = true;
  }
  f.manager().before = [](const std::string&) {};
  f.owned.before = [](const char*) { return outcome<void>{}; };
  return dead;
}

} // namespace harmony::test

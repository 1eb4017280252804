// Hours of a device's life in minutes; scripts/soak runs it inside a disposable device.

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <random>

#include "soak/upsets.hpp"
#include "support/shell.hpp"
#include "support/test_image.hpp"

namespace harmony::soak {

namespace {

using namespace std::chrono_literals;

/// MINUTES [--seed N] [--report FILE]
options read_options(int count, char** words) {
  options out;
  out.seed = std::random_device{}();
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (word == "--seed" && i + 1 < count)
      out.seed = std::stoull(words[++i]);
    else if (word == "--report" && i + 1 < count)
      out.report = words[++i];
    else
      out.minutes = std::stod(word);
  }
  return out;
}

void prepare_device() {
  if (!test::succeeds("systemctl start podman.socket && podman version"))
    throw std::runtime_error("podman does not start");
  test::build_test_image(world::image(1), "1");
  test::build_test_image(world::image(4), "2");
}

void upset(bed& b, bool lethal) {
  switch (const auto roll = b.chance.below(20); roll) {
  case 0: return fault(b, lethal);
  case 1:
  case 2:
  case 3:
  case 4:
  case 5: return command(b);
  default: return roll < 13 ? drift(b) : change_desire(b);
  }
}

/// In the first quarter the agent is ended again and again. Then it has one life, so that what
/// grows shows; in a run that is too short for that, it has none.
void live(bed& b, double minutes) {
  const double first_part = minutes < 14 ? minutes : minutes / 4;
  while (b.found.minutes() < minutes) {
    const bool lethal = b.found.minutes() < first_part;
    const auto end = steady::now() + std::chrono::milliseconds{b.chance.between(3000, 9000)};
    while (steady::now() < end) {
      upset(b, lethal);
      b.tell();
      pause(std::chrono::milliseconds{b.chance.below(250)});
    }
    if (b.chance.one_in(2))
      fault(b, lethal);
    rest(b);
  }
}

void finish(bed& b) {
  b.desire.clear();
  rest(b);
  b.end_agent(true);
  b.found.judge(b.beats.judge(), 100);
  b.found.judge(b.lives);
}

int soak(const options& given) {
  std::printf("soak: %.1f minutes, seed %llu\n", given.minutes,
              static_cast<unsigned long long>(given.seed));
  std::fflush(stdout);
  prepare_device();
  bed b{given};
  try {
    live(b, given.minutes);
    finish(b);
  } catch (const std::exception& e) {
    b.found.violation(std::string{"the run broke off: "} + e.what());
    b.end_agent(false);
  }
  b.found.print();
  std::ofstream(given.report) << b.found.to_json(given.seed);
  return b.found.violations() == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

} // namespace

} // namespace harmony::soak

int main(int count, char** words) {
  try {
    return harmony::soak::soak(harmony::soak::read_options(count, words));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "soak: %s\n", e.what());
    return 2;
  }
}

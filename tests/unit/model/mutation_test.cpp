// Any bytes give a reading, and what was read can be written and read again.

#include <random>

#include "model/manifest.hpp"
#include "model/status.hpp"
#include "support/catch.hpp"
#include "unit/model/documents.hpp"

namespace harmony {

namespace {

/// `text` with a few bytes changed, cut, repeated or swapped with others of its own.
std::string mutated(std::string text, std::mt19937& random) {
  const auto below = [&](std::size_t n) { return random() % n; };
  for (auto edits = 1 + below(3); edits > 0 && !text.empty(); --edits) {
    const auto at = below(text.size());
    const auto length = 1 + below(std::min<std::size_t>(12, text.size() - at));
    switch (below(6)) {
    case 0: text[at] = static_cast<char>(random()); break;
    case 1: text.erase(at, length); break;
    case 2: text.insert(at, text.substr(below(text.size()), 1 + below(12))); break;
    case 3: text.insert(at, 1, "{}[]\",:0-\\"[below(10)]); break;
    case 4: text.resize(below(20) == 0 ? at : text.size()); break;
    default: text[at] = text[below(text.size())]; break;
    }
  }
  return text;
}

TEST_CASE("manifest: seeded mutations -> a reading; what is accepted comes back the same") {
  std::mt19937 random{42};
  int accepted = 0;
  int refused = 0;
  for (int i = 0; i < 8000; ++i) {
    const auto text = mutated(test::full_manifest(), random);
    const auto reading = read_manifest(text);
    CHECK_FALSE((!reading.value && reading.issues.empty()));
    if (!reading.value) {
      ++refused;
      continue;
    }
    ++accepted;
    CHECK(reading.issues.empty() == reading.value->rejected.empty());
    auto m = *reading.value;
    m.rejected.clear();
    // Without what was rejected others may hang in the air; that is no fault of the writer.
    const auto again = read_manifest(write_manifest(m));
    REQUIRE(again.value);
    if (again.value->rejected.empty() && !(*again.value == m))
      FAIL_CHECK(text);
  }
  CHECK(accepted > 400);
  CHECK(refused > 400);
}

TEST_CASE("status and heartbeat: seeded mutations -> a value or a failure") {
  std::mt19937 random{43};
  agent_status s{"pi", "0123456789abcdef", 1, 7, agent_phase::converged, {}, {}};
  s.resources[{"File", "a"}].state = file_state{"sha256:b", "0644"};
  s.resources[{"Container", "c"}].state = container_state{"i", "m", container_running{"x", 2}};
  const heartbeat h{"0123456789abcdef", 311, 7, agent_phase::converged};
  for (int i = 0; i < 10000; ++i) {
    if (const auto read = read_status(mutated(write_status(s), random)))
      CHECK(read_status(write_status(*read)).value() == *read);
    if (const auto read = read_heartbeat(mutated(write_heartbeat(h), random)))
      CHECK(read_heartbeat(write_heartbeat(*read)).value() == *read);
  }
}

} // namespace

} // namespace harmony

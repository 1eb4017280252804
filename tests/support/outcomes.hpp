#pragma once

#include <string>

#include "model/outcome.hpp"
#include "support/catch.hpp"

namespace harmony::test {

inline void check_ok(const outcome<void>& done) {
  INFO((done ? "" : done.error().message));
  CHECK(done.ok());
}

/// Checks that it failed with `code`, and that its message has `words`.
inline void check_failure(const outcome<void>& done, ec code, const std::string& words) {
  REQUIRE_FALSE(done.ok());
  INFO(done.error().message);
  CHECK(reason_of(done.error().code) == reason_of(code));
  CHECK(done.error().message.find(words) != std::string::npos);
}

} // namespace harmony::test

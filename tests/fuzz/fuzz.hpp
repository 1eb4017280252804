#pragma once

// What the fuzzers share. Each reads bytes from outside (a store, a runtime, a file) and holds the
// reader to what its header promises.

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace harmony::fuzz {

/// One input. Each fuzzer defines its own.
void take(std::string_view bytes);

/// Ends the fuzzer, so that it keeps the input, where `promise` is broken.
inline void require(bool held, const char* promise) {
  if (held)
    return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

} // namespace harmony::fuzz

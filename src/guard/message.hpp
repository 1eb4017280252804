#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "guard/machine.hpp"

namespace harmony::guard {

/// No message is longer; a longer one is refused.
inline constexpr std::size_t longest_message = 512;

/// A request as it is sent: "arm 7 123456789", "start primary", "status". One is one packet.
std::string write_request(const request& r);
std::optional<request> read_request(std::string_view text);

/// What the guard says: to an agent that has come, about a request, or because something changed.
struct report {
  enum class kind : std::uint8_t { hello, ok, refused, changed };
  kind what = kind::changed;
  refusal why = refusal::none; ///< of `refused`
  phase now = phase::stopped;
  pid_t pid = 0; ///< of the postmaster; 0: none
  std::uint64_t epoch = 0;
  boot_time deadline{0}; ///< 0: none
  ending ended = ending::none;
  int code = 0;     ///< how the postmaster ended last: exit code, or 128 and the signal
  std::string text; ///< for a person; one line

  friend bool operator==(const report&, const report&) = default;
};

/// "refused no-lease state=stopped pid=0 epoch=7 deadline=0 ended=none code=0 text=…"; the text is
/// cut where the message would be too long. What a reader does not know is passed over.
std::string write_report(const report& r);
std::optional<report> read_report(std::string_view text);

} // namespace harmony::guard

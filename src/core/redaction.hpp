#pragma once

#include <set>
#include <string>
#include <string_view>

#include "trust/envelope.hpp"

namespace harmony {

/// Takes secrets out of what is handed to others. What a manifest holds of them (contents,
/// environments, commands: every text that is not known to be harmless) is taken out of it, and
/// remembered, so that it can be taken out wherever else it turns up.
class redactor {
public:
  /// Shorter ones are common words, and would make other texts unreadable.
  static constexpr std::size_t shortest = 6;

  /// Remembers a secret of one line for `scrub`.
  void learn(std::string_view secret);

  /// A manifest, in an envelope or not, without its secrets; they are remembered. What is no JSON
  /// is left out as a whole.
  std::string manifest(std::string_view document);

  /// Another document of the agent's (status, record, audit line): without commands and what
  /// programs printed. What is no JSON object is only scrubbed.
  [[nodiscard]] std::string record(std::string_view document) const;

  /// `text` without any remembered secret.
  [[nodiscard]] std::string scrub(std::string text) const;

private:
  /// What is in an envelope, not as base64, and who is said to have signed it.
  std::string sealed_manifest(const envelope& e);

  /// A longer one before those that it may contain.
  struct longest_first {
    bool operator()(const std::string& a, const std::string& b) const {
      return a.size() != b.size() ? a.size() > b.size() : a < b;
    }
  };
  std::set<std::string, longest_first> secrets_;
};

} // namespace harmony

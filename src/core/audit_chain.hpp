#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/manifest.hpp"

namespace harmony {

/// Something that was done on the device, or refused, at somebody's word. It holds no secret: no
/// command line, no content, no output.
struct audit_event {
  std::string event;             ///< "job-started", "manifest-accepted", "policy-refused", …
  std::string subject;           ///< "ShellJob/prepare", "generation 7"
  std::string revision;          ///< hash of what the subject was then; empty: none
  std::string origin;            ///< the class, rollout or person it came from; empty: not known
  std::string via = "store";     ///< by which way it was asked: "store", or "agent" for itself
  std::vector<std::string> keys; ///< ids of the keys that signed it; empty: it was not signed
  std::string result;            ///< of an end or a refusal, for a person

  friend bool operator==(const audit_event&, const audit_event&) = default;
};

/// One line of the audit log. Each holds the hash of the one before it, so that a line that was
/// changed, taken out, put in or moved breaks the chain. docs/security.md is its specification.
struct audit_record {
  std::uint64_t sequence = 0; ///< from 1, without gaps
  timestamp time;             ///< by this device's clock, which somebody may set
  std::uint64_t uptime = 0;   ///< milliseconds since the device booted, asleep or not
  audit_event what;
  std::uint64_t lost = 0; ///< of an "audit-gap": records that could not be kept
  std::string torn;       ///< of an "audit-healed": hash of what stands before it and is no line
  std::string previous;   ///< hash of the line before; of the first one, zeros

  friend bool operator==(const audit_record&, const audit_record&) = default;
};

/// One line of JSON, without the newline.
std::string write_audit_record(const audit_record& r);

/// Nothing for what is no such line.
std::optional<audit_record> read_audit_record(std::string_view line);

/// What the first record of all stands on.
std::string audit_genesis();

/// Whether the end of a file, which is no record, is what a power loss leaves of one: a beginning
/// of it without its newline, or blocks that were never written.
bool may_be_torn(std::string_view end) noexcept;

/// Where a chain ends, or an anchor that it must hold.
struct audit_mark {
  std::uint64_t sequence = 0; ///< 0: nowhere
  std::string hash;           ///< of its line

  friend bool operator==(const audit_mark&, const audit_mark&) = default;
};

/// "7:<hash>".
std::string write_audit_mark(const audit_mark& m);
std::optional<audit_mark> read_audit_mark(std::string_view text);

/// What came of looking at a chain.
struct audit_verdict {
  bool intact = true;
  std::string fault;       ///< what is wrong, from which line on; empty: nothing
  std::uint64_t first = 0; ///< sequence number of the oldest record; 0: there is none
  audit_mark head;         ///< the newest that stands on all before it
  std::uint64_t records = 0;
  std::uint64_t lost = 0;   ///< that gaps tell of
  std::uint64_t healed = 0; ///< lines that a power loss tore
  bool torn_end = false;    ///< the newest line is one of these, and not healed yet
};

/// Follows a chain over its lines, oldest first. Total.
class audit_verifier {
public:
  /// `anchor`: a mark that somebody kept elsewhere, which the chain must hold.
  explicit audit_verifier(std::optional<audit_mark> anchor = {}) : anchor_(std::move(anchor)) {}

  /// Takes one file, with its newlines; `name` is for the verdict.
  void take(std::string_view file, const std::string& name);

  /// What it comes to. `whole`: there are no older files than those that were taken, so that the
  /// chain must begin with its first record.
  [[nodiscard]] audit_verdict verdict(bool whole) const;

private:
  void take_line(std::string_view line, bool ended, const std::string& place);
  void take_record(const audit_record& r, std::string_view line, const std::string& place);
  void fail(const std::string& place, const std::string& why);

  std::optional<audit_mark> anchor_;
  bool anchored_ = false;
  audit_verdict verdict_;
  std::string torn_;       ///< what is no record, since the last record
  std::string torn_place_; ///< where that is
};

/// The titles of the columns of `audit_row`.
std::string audit_header();

/// `line` with what makes it a table's row; the line itself where it is no record.
std::string audit_row(std::string_view line);

} // namespace harmony

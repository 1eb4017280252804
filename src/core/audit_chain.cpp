#include "core/audit_chain.hpp"

#include <algorithm>
#include <charconv>

#include <nlohmann/json.hpp>

namespace harmony {

namespace {

using json = nlohmann::ordered_json;

constexpr auto healed_event = "audit-healed";

template <class T>
T field(const json& from, const char* name) {
  const auto it = from.find(name);
  return it == from.end() ? T{} : it->get<T>();
}

void set(json& into, const char* name, const std::string& value) {
  if (!value.empty())
    into[name] = value;
}

/// `text` as a column of that width, with a blank after it at least.
std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size() + 1), ' ');
  return text;
}

std::string row_of(const std::string& sequence, const std::string& time, const std::string& event,
                   const std::string& subject, const std::string& who) {
  return padded(sequence, 7) + padded(time, 26) + padded(event, 18) + padded(subject, 26)
         + padded(who, 14);
}

} // namespace

std::string write_audit_record(const audit_record& r) {
  const auto& e = r.what;
  json j{
    {"seq", r.sequence}, {"time", format_time(r.time)}, {"uptime", r.uptime}, {"event", e.event}};
  set(j, "subject", e.subject);
  set(j, "revision", e.revision);
  set(j, "origin", e.origin);
  set(j, "via", e.via);
  if (!e.keys.empty())
    j["keys"] = e.keys;
  set(j, "result", e.result);
  if (r.lost != 0)
    j["lost"] = r.lost;
  set(j, "torn", r.torn);
  j["prev"] = r.previous;
  return j.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<audit_record> read_audit_record(std::string_view line) {
  const auto j = json::parse(line, nullptr, false);
  if (!j.is_object())
    return {};
  for (const char* each : {"seq", "uptime", "lost"}) // larger ones would be read as fractions
    if (const auto it = j.find(each); it != j.end() && !it->is_number_unsigned())
      return {};
  try {
    audit_record r;
    r.sequence = j.at("seq").get<std::uint64_t>();
    const auto time = parse_time(j.at("time").get<std::string>());
    r.uptime = j.at("uptime").get<std::uint64_t>();
    r.what.event = j.at("event").get<std::string>();
    r.what.subject = field<std::string>(j, "subject");
    r.what.revision = field<std::string>(j, "revision");
    r.what.origin = field<std::string>(j, "origin");
    r.what.via = field<std::string>(j, "via");
    r.what.keys = field<std::vector<std::string>>(j, "keys");
    r.what.result = field<std::string>(j, "result");
    r.lost = field<std::uint64_t>(j, "lost");
    r.torn = field<std::string>(j, "torn");
    r.previous = j.at("prev").get<std::string>();
    if (!time || r.sequence == 0)
      return {};
    r.time = *time;
    return r;
  } catch (const json::exception&) {
    return {};
  }
}

std::string audit_genesis() {
  constexpr std::size_t digits = 64;
  std::string zeros;
  zeros.resize(digits, '0');
  return zeros;
}

bool may_be_torn(std::string_view end) noexcept {
  return !end.empty() && (end.back() != '\n' || end.find('\0') != std::string_view::npos);
}

std::string write_audit_mark(const audit_mark& m) {
  return std::to_string(m.sequence) + ":" + m.hash;
}

std::optional<audit_mark> read_audit_mark(std::string_view text) {
  audit_mark mark;
  const auto number = text.substr(0, text.find(':'));
  const auto [at, error] =
    std::from_chars(number.data(), number.data() + number.size(), mark.sequence);
  mark.hash = text.substr(std::min(number.size() + 1, text.size()));
  if (error != std::errc{} || at != number.data() + number.size() || mark.sequence == 0
      || mark.hash.size() != audit_genesis().size())
    return {};
  return mark;
}

void audit_verifier::fail(const std::string& place, const std::string& why) {
  verdict_.intact = false;
  if (verdict_.fault.empty())
    verdict_.fault = place + ": " + why;
}

void audit_verifier::take(std::string_view file, const std::string& name) {
  for (std::size_t number = 1; !file.empty() && verdict_.intact; ++number) {
    const auto end = file.find('\n');
    take_line(file.substr(0, end), end != std::string_view::npos,
              name + ":" + std::to_string(number));
    file = end == std::string_view::npos ? std::string_view{} : file.substr(end + 1);
  }
}

void audit_verifier::take_line(std::string_view line, bool ended, const std::string& place) {
  const auto record = ended ? read_audit_record(line) : std::nullopt;
  if (record) {
    take_record(*record, line, place);
    return;
  }
  if (!torn_.empty())
    fail(torn_place_, "is no record, and nothing that a power loss left");
  torn_ = std::string{line} + (ended ? "\n" : "");
  torn_place_ = place;
}

void audit_verifier::take_record(const audit_record& r, std::string_view line,
                                 const std::string& place) {
  auto& v = verdict_;
  const bool heals = r.what.event == healed_event;
  if (heals != !torn_.empty() || (heals && r.torn != sha256_hex(torn_)))
    return fail(heals ? place : torn_place_,
                heals ? "tells of a torn line that is not there" : "is no record");
  if (v.first == 0)
    v.first = r.sequence;
  const bool begins = v.head.sequence == 0;
  if (r.sequence != v.head.sequence + 1 && !begins)
    return fail(place, "record " + std::to_string(r.sequence) + " follows record "
                         + std::to_string(v.head.sequence));
  if (begins ? r.sequence == 1 && r.previous != audit_genesis() : r.previous != v.head.hash)
    return fail(place, "record " + std::to_string(r.sequence)
                         + " does not stand on the line before it: one of the two was changed");
  torn_.clear();
  v.healed += heals ? 1 : 0;
  v.lost += r.lost;
  ++v.records;
  v.head = {r.sequence, sha256_hex(line)};
  anchored_ = anchored_ || (anchor_ && *anchor_ == v.head);
}

audit_verdict audit_verifier::verdict(bool whole) const {
  auto result = verdict_;
  const auto fail = [&](std::string why) {
    result.intact = false;
    if (result.fault.empty())
      result.fault = std::move(why);
  };
  result.torn_end = result.intact && may_be_torn(torn_);
  if (!torn_.empty() && !result.torn_end)
    fail(torn_place_ + ": is no record");
  if (whole && result.first > 1)
    fail("the records before " + std::to_string(result.first) + " are missing");
  if (anchor_ && !anchored_ && result.first <= anchor_->sequence)
    fail("record " + std::to_string(anchor_->sequence)
         + (anchor_->sequence > result.head.sequence
              ? " is missing: the log was cut off after " + std::to_string(result.head.sequence)
              : " is another than the one that was seen before"));
  return result;
}

std::string audit_header() {
  return row_of("SEQ", "TIME", "EVENT", "SUBJECT", "WHO") + "RESULT";
}

std::string audit_row(std::string_view line) {
  const auto r = read_audit_record(line);
  if (!r)
    return std::string{line};
  std::string who = r->what.origin.empty() ? r->what.via : r->what.origin;
  constexpr std::size_t shown = 12; // of a key's id, as everywhere
  for (const auto& key : r->what.keys)
    who += " " + key.substr(0, shown);
  auto row =
    row_of(std::to_string(r->sequence), format_time(r->time), r->what.event, r->what.subject, who)
    + r->what.result;
  if (r->lost != 0)
    row += std::to_string(r->lost) + " lost";
  row.erase(row.find_last_not_of(' ') + 1);
  return row;
}

} // namespace harmony

#include "apps/ctl/enrolments.hpp"

#include <algorithm>

#include "apps/ctl/view.hpp"
#include "model/manifest.hpp"
#include "transport/nats_access.hpp"

namespace harmony::ctl {

namespace {

using state = enrolment_record::state;

tone tone_of(standing s) {
  switch (s) {
  case standing::pending:
  case standing::approved: return tone::busy;
  case standing::enrolled: return tone::good;
  case standing::invalid:
  case standing::denied:
  case standing::revoked: return tone::bad;
  case standing::unused: return tone::plain;
  case standing::expired: break;
  }
  return tone::faint;
}

/// Why the holder of token `e.id` does not get what `text` asks; empty: nothing is in the way.
std::string read_into(enrolment& e, const std::string& text) {
  auto request = read_request(text);
  if (!request)
    return request.error().message;
  if (request->token != e.id)
    return "this request was made with another token";
  if (token_id(request->nkey) == e.id)
    return "it asks with the token's own key, which is no device's";
  e.request = std::move(*request);
  if (!e.record.device.empty() && e.record.device != e.request->device)
    return "it asks to be '" + e.request->device + "', and the token is for '" + e.record.device
           + "' alone";
  return {};
}

/// `written`: the keys that holders of tokens have written, sorted.
outcome<void> add_request(store& from, enrolment& e, const std::vector<std::string>& written,
                          milliseconds each) {
  const auto read = [&](const std::string& key) -> outcome<std::optional<store_entry>> {
    if (!std::binary_search(written.begin(), written.end(), key))
      return std::optional<store_entry>{};
    return from.get(bucket::enrolment_request, key, each);
  };
  const auto asked = read(e.id);
  if (!asked)
    return asked.error();
  if (!*asked)
    return {};
  e.asked = (*asked)->written;
  e.fault = read_into(e, (*asked)->value);
  if (e.record.is != state::approved)
    return {};
  const auto receipt = read(nats::receipt_key(e.id));
  if (!receipt)
    return receipt.error();
  e.done = *receipt && is_receipt((*receipt)->value, e.id, e.record.nkey);
  return {};
}

std::string fact(const enrolment& e, const char* name) {
  if (!e.request)
    return {};
  const auto found = e.request->facts.find(name);
  return found == e.request->facts.end() ? std::string{} : found->second;
}

} // namespace

std::string_view name_of(standing s) noexcept {
  switch (s) {
  case standing::unused: return "Unused";
  case standing::pending: return "Pending";
  case standing::invalid: return "Invalid";
  case standing::approved: return "Approved";
  case standing::enrolled: return "Enrolled";
  case standing::denied: return "Denied";
  case standing::revoked: return "Revoked";
  case standing::expired: return "Expired";
  }
  return {};
}

standing standing_of(const enrolment& e, std::chrono::system_clock::time_point now) {
  switch (e.record.is) {
  case state::approved: return e.done ? standing::enrolled : standing::approved;
  case state::denied: return standing::denied;
  case state::revoked: return standing::revoked;
  case state::issued: break;
  }
  if (now >= e.record.expires)
    return standing::expired;
  if (!e.fault.empty())
    return standing::invalid;
  return e.request ? standing::pending : standing::unused;
}

outcome<std::vector<enrolment>> read_enrolments(store& from, milliseconds each) {
  const auto ids = from.keys(bucket::enrolment, each);
  if (!ids)
    return ids.error();
  const auto written = from.keys(bucket::enrolment_request, each);
  if (!written)
    return written.error();
  std::vector<enrolment> all;
  for (const auto& id : *ids) {
    const auto entry = from.get(bucket::enrolment, id, each);
    if (!entry)
      return entry.error();
    const auto record = *entry ? read_record((*entry)->value)
                               : outcome<enrolment_record>{failure{ec::not_found, "deleted"}};
    if (!record) // deleted, or no business of this version
      continue;
    enrolment e{id, *record, (*entry)->revision, {}, {}, {}, false};
    if (auto added = add_request(from, e, *written, each); !added)
      return added.error();
    all.push_back(std::move(e));
  }
  std::stable_sort(all.begin(), all.end(), [](const enrolment& a, const enrolment& b) {
    return a.record.created < b.record.created;
  });
  return all;
}

outcome<std::vector<enrolment>> read_enrolments(const context& c) {
  const auto from = c.connected();
  if (!from)
    return from.error();
  return read_enrolments(**from, c.global.timeout);
}

listing list_tokens(const std::vector<enrolment>& all, std::chrono::system_clock::time_point now) {
  listing table{{{"TOKEN", "id"},
                 {"FOR", "device"},
                 {"STATE", "state"},
                 {"EXPIRES", "expires"},
                 {"WHY", "reason"}},
                {},
                "no tokens; 'harmonyctl enroll-token create' makes one"};
  for (const auto& e : all) {
    const auto s = standing_of(e, now);
    table.rows.push_back(
      {cell::of(e.id), cell::of(e.record.device.empty() ? "any" : e.record.device, e.record.device),
       cell::of(std::string{name_of(s)}, tone_of(s)), cell::of(format_time(e.record.expires)),
       cell::of(e.record.reason)});
  }
  return table;
}

listing list_enrolments(const std::vector<enrolment>& all,
                        std::chrono::system_clock::time_point now) {
  listing table{{{"DEVICE", "device"},
                 {"STATE", "state"},
                 {"FINGERPRINT", "fingerprint"},
                 {"TOKEN", "id"},
                 {"ASKED", "asked"},
                 {"SAYS IT IS", ""},
                 {"", "facts"},
                 {"", "nkey"},
                 {"", "renews"},
                 {"WHY", "reason"}},
                {},
                "no device has asked to be let in"};
  for (const auto& e : all) {
    if (!e.request && e.fault.empty())
      continue;
    const auto s = standing_of(e, now);
    const auto r = e.request.value_or(enrolment_request{});
    table.rows.push_back(
      {cell::of(r.device), cell::of(std::string{name_of(s)}, tone_of(s)),
       cell::of(r.nkey.empty() ? "" : fingerprint_of(r.nkey)), cell::of(e.id),
       cell::of(ago(e.asked, now),
                format_time(std::chrono::floor<std::chrono::milliseconds>(e.asked))),
       cell::of(fact(e, "model").empty() ? fact(e, "host")
                                         : fact(e, "host") + ", " + fact(e, "model")),
       cell::of("", json(r.facts)), cell::of(r.nkey), cell::of(r.renews),
       cell::of(e.fault.empty() ? e.record.reason : e.fault)});
  }
  return table;
}

} // namespace harmony::ctl
